// Bokeh 3.9 takes what has just come from the server for new to it: the next message sends it back whole, where it is
// named. The server warns that it knows it, and the definition of a component's class (panel_fixes/served.py) cannot be sent at
// all. Nobody seems to have reported it. Delete this when tests/ui/test_named_views.py passes without it; ids of what is
// made in the browser are not like the server's.
document.addEventListener("DOMContentLoaded", () => {
  const page = Bokeh.require("document").Document.prototype
  const create = page.create_json_patch
  page.create_json_patch = function (...given) { // also what is sent while a message is still being taken in
    for (const model of this._new_models) {
      if (/^p\d+$/.test(model.id)) { this._new_models.delete(model) }
    }
    return create.apply(this, given)
  }
}, {once: true})
