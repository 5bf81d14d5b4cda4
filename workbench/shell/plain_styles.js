// Bokeh 3.9 looks for a CSS variable (--bk-...) before each line, fill and text that it draws, and the browser computes
// the page's styles anew each time: that was a third of what a chart costs. No style sheet here has one. Delete this when
// Bokeh looks once a drawing.
document.addEventListener("DOMContentLoaded", () => {
  Bokeh.require("core/visuals/visual").VisualProperties.prototype._get_css_value = () => ""
}, {once: true})
