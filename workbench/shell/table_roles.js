// Tabulator 6: the element that scrolls a table's rows has the keyboard, but no role: none such may stand in a grid, and
// what reads the screen aloud leaves its rows out (tabulator#4555, half mended by #4836; axe-core#4713). Delete this when
// Tabulator gives it one.
document.addEventListener("DOMContentLoaded", () => {
  const view = Bokeh.Models.get("panel.models.tabulator.DataTabulator").prototype.default_view.prototype
  const built = view.tableBuilt
  view.tableBuilt = function () {
    const table = this.tabulator.element
    table.querySelector(".tabulator-tableholder")?.setAttribute("role", "rowgroup")
    table.querySelector(".tabulator-table")?.setAttribute("role", "presentation")
    return built.call(this)
  }
}, {once: true})
