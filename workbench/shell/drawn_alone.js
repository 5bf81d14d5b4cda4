// Bokeh 3.9: whatever changes its size has the whole page measured, every chart with its labels too, and so has a chart
// whose labels need more room: a filter that was clicked had eleven such rounds. Here CSS lays the page out, and each part
// is told of its own size: it is measured alone. Nobody seems to have reported it. Delete this when `_after_resize` and
// `compute_layout` do not ask a parent that has no layout of Bokeh's.
document.addEventListener("DOMContentLoaded", () => {
  const alone = function () {
    this.measure_layout()
    this.update_bbox()
    this._compute_layout()
    this.after_layout()
    this._layout_computed = true
  }
  let part = Bokeh.Models.get("Column").prototype.default_view.prototype
  while (!Object.hasOwn(part, "compute_layout")) { part = Object.getPrototypeOf(part) }
  const resized = part._after_resize
  part._after_resize = function () {
    if (!this._was_built) {
      resized.call(this)
    } else if (this.layout != null || this.layoutable_views.length === 0) {
      alone.call(this)
    } // what it contains is told of its own size
  }
  const figure = Bokeh.Models.get("Figure").prototype.default_view.prototype
  const compute = figure.compute_layout
  figure.compute_layout = function () { (this.layout != null ? alone : compute).call(this) }
}, {once: true})
