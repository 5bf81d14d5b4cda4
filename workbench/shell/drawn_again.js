// Panel 1.9: a React component that is drawn a second time before its code has come has no root yet, and fails in
// `render` at the "unmount" of nothing; `remove` looks first (panel#8702 mends what is near). Delete this when `render`
// looks too.
document.addEventListener("DOMContentLoaded", () => {
  const view = Bokeh.Models.get("panel.models.esm.ReactComponent").prototype.default_view.prototype
  const render = view.render
  view.render = function () {
    this.react_root = this.react_root?.then((root) => root ?? {unmount() {}})
    return render.call(this)
  }
}, {once: true})
