// Tabulator 6 names each box that chooses rows "Select Row", the one in the head too. A table whose texts (`langs`) have
// `boxes` names them: `all` in the head; in a row what `row` says, and the row's value of `field`.
document.addEventListener("DOMContentLoaded", () => {
  const named = (made) => function (cell, ...others) {
    const box = made.call(this, cell, ...others), texts = this.table.getLang().boxes
    if (box && texts) {
      const row = cell.getRow?.().getData()
      box.setAttribute("aria-label", row ? `${texts.row} ${row[texts.field]}` : texts.all)
    }
    return box
  }
  const view = Bokeh.Models.get("panel.models.tabulator.DataTabulator").prototype.default_view.prototype
  const init = view.tableInit
  view.tableInit = function () {
    const {formatters} = this.tabulator.modules.format.constructor
    view.namedBoxes ??= formatters.rowSelection = named(formatters.rowSelection)
    return init.call(this)
  }
}, {once: true})
