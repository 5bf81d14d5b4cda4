// What Tabulator 6 lacks. It names each box that chooses rows "Select Row", the one in the head too: a table whose texts
// (`langs`) have `boxes` names them, `all` in the head; in a row what `row` says, with the row's value of `field` for {id}. And it
// keeps the widths of all columns, so that those which share a wide screen stay as narrow as they were on another: a table
// with a `persistenceID` keeps those that somebody has dragged. Its money has groups of three alone (separators.js).
// And what Panel 1.9 does to it: a table that is resized within 200 ms of being scrolled stayed as wide as it was, and one whose
// columns were hidden while it was built was drawn before there was anything to draw: an error, and they stayed in sight.
document.addEventListener("DOMContentLoaded", () => {
  const named = (made) => function (cell, ...others) {
    const box = made.call(this, cell, ...others), texts = this.table.options.langs.default?.boxes
    if (box && texts) {
      const row = cell.getRow?.().getData()
      box.setAttribute("aria-label", row ? texts.row.replace("{id}", row[texts.field]) : texts.all)
    }
    return box
  }
  const grouped = (made) => function (...given) {
    const text = made.apply(this, given)
    return typeof text === "string" ? window.workbenchGroups(text) : text
  }
  const read = (key) => {
    try { return JSON.parse(window.localStorage.getItem(key)) ?? {} } catch { return {} }
  }
  const keepWidths = (table, key) => {
    const kept = read(key)
    for (const column of table.options.columns) {
      if (Number.isFinite(kept[column.field])) { column.width = kept[column.field] }
    }
    table.on("columnResized", (column) => {
      column.getDefinition().width = kept[column.getField()] = column.getWidth()
      try { window.localStorage.setItem(key, JSON.stringify(kept)) } catch { /* a browser that keeps nothing */ }
    })
  }
  const view = Bokeh.Models.get("panel.models.tabulator.DataTabulator").prototype.default_view.prototype
  const {after_resize: resized, render, tableInit: init} = view
  view.after_resize = function () {
    const isScrolling = this._is_scrolling
    this._is_scrolling = false  // what is asked for here waits for the end of scrolling
    resized.call(this)
    this._is_scrolling = isScrolling
  }
  view.render = function () {
    render.call(this)
    const table = this.tabulator, {redraw} = table
    table.redraw = (...how) => { if (table.initialized) { redraw.apply(table, how) } }
    table.on("tableBuilt", () => this.setHidden())
  }
  view.tableInit = function () {
    const {modules, options} = this.tabulator, {formatters} = modules.format.constructor
    view.groupedMoney ??= formatters.money = grouped(formatters.money)
    view.namedBoxes ??= formatters.rowSelection = named(formatters.rowSelection)
    if (options.persistenceID) { keepWidths(this.tabulator, `tabulator-${options.persistenceID}-widths`) }
    return init.call(this)
  }
}, {once: true})
