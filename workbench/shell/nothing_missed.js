// Panel 1.9: a React component misses what changes between its drawing and its listening: a field that is filled in that
// moment stays empty, a button that is enabled stays dead. Delete this when Panel's `useState` looks again by itself.
document.addEventListener("DOMContentLoaded", () => {
  const component = Bokeh.Models.get("panel.models.esm.ReactComponent").prototype
  const code = component._render_code
  const listens = "react_proxy.on(prop, cb, true)"
  const looks = "if (!target.model.events.includes(resolvedProp)) { setValue(targetModel.attributes[resolvedProp]) }"
  component._render_code = function () { return code.call(this).replace(listens, `${listens}\n${looks}`) }
}, {once: true})
