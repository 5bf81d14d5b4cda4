// Bokeh 3.9: whatever changes its size has the whole page measured, every chart with its labels too, and so has a chart
// whose labels need more room: a filter that was clicked had eleven such rounds. What gets or loses a child, or another
// margin, even has the styles of the whole page written anew. Here CSS lays the page out, and each part is told of its own
// size: it is measured alone, and its place is its parent's to say. Nobody seems to have reported it. Delete this when
// `_after_resize`, `compute_layout` and `invalidate_layout` do not ask a parent that has no layout of Bokeh's.
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
  part.invalidate_layout = function () {
    let changed = this
    while (changed.is_managed && (changed === this || changed.layout != null)) { changed = changed.parent }
    changed.update_layout()
    alone.call(changed)
  }
  const figure = Bokeh.Models.get("Figure").prototype.default_view.prototype
  const compute = figure.compute_layout
  figure.compute_layout = function () { (this.layout != null ? alone : compute).call(this) }
}, {once: true})
