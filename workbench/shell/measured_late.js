// Bokeh 3.9: a figure that has just come is measured before it has a layout, when what it stands in is measured for
// another reason in that moment: a TypeError ("top_panel"), and nothing around it is measured either. It is measured
// once it has one. Delete this when `_measure_layout` and `_after_layout` look by themselves (panel-material-ui issue 548).
document.addEventListener("DOMContentLoaded", () => {
  const figure = Bokeh.Models.get("Figure").prototype.default_view.prototype
  for (const step of ["_measure_layout", "_after_layout"]) {
    const done = figure[step]
    figure[step] = function () { if (this.layout != null) { done.call(this) } }
  }
}, {once: true})
