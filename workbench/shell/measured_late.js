// Bokeh 3.9: a figure that has just come is measured before it has a layout, when what it stands in is measured for
// another reason in that moment: a TypeError ("top_panel"), and nothing around it is measured either. It is measured
// once it has one. Delete this when `_measure_layout` looks by itself (panel-material-ui issue 548).
document.addEventListener("DOMContentLoaded", () => {
  const figure = Bokeh.Models.get("Figure").prototype.default_view.prototype
  const measure = figure._measure_layout
  figure._measure_layout = function () { if (this.layout != null) { measure.call(this) } }
}, {once: true})
