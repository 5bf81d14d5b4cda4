// What would else be callbacks of Bokeh's, which are texts that the browser evaluates: the page's policy has it evaluate
// none (docs/decisions/030-what-a-page-may-load-and-run.md).
document.addEventListener("DOMContentLoaded", () => {
  const viewOf = (name) => Bokeh.Models.get(name).prototype.default_view.prototype
  const component = viewOf("panel.models.esm.ReactComponent")
  const connect = component.connect_signals
  component.connect_signals = function () {
    connect.call(this)
    if (this.model.class_name !== "Page") { return }
    const data = this.model.data
    this.connect(data.properties.dark_theme.change, () => keepTheme(data.dark_theme))
  }
  // Of a chart with the tag "swiped" a swipe up or down scrolls the page.
  const figure = viewOf("Figure")
  const update = figure._update_touch_action
  figure._update_touch_action = function () {
    update.call(this)
    if (this.model.tags.includes("swiped")) {
      this.canvas.touch_action.replace(".bk-events { touch-action: pan-y pinch-zoom; }")
    }
  }
}, {once: true})
