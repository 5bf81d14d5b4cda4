document.addEventListener("DOMContentLoaded", () => {
  // Panel 1.9: a React component misses what changes between its drawing and its listening: a field that is filled in
  // that moment stays empty, a button that is enabled stays dead. Delete this when Panel's `useState` looks again.
  const component = Bokeh.Models.get("panel.models.esm.ReactComponent").prototype
  const code = component._render_code
  const listens = "react_proxy.on(prop, cb, true)"
  const looks = "if (!target.model.events.includes(resolvedProp)) { setValue(targetModel.attributes[resolvedProp]) }"
  component._render_code = function () { return code.call(this).replace(listens, `${listens}\n${looks}`) }

  // Panel 1.9: what a component is told (`_send_msg`, as that it takes the focus) before it listens is lost. It hears of
  // it when it does, within EARLY_MS: who types elsewhere by then keeps the focus. Delete this when a view's `on_event`
  // gives what came before.
  const esm = Bokeh.Models.get("panel.models.esm.ReactiveESM").prototype, view = esm.default_view.prototype
  const {_process_event: process} = esm, {initialize, on_event: listen} = view
  const EARLY_MS = 5000, listening = new WeakSet(), early = new WeakMap()
  view.initialize = function () {
    listening.delete(this.model)
    return initialize.call(this)
  }
  esm._process_event = function (event) {
    if (event.event_name === "esm_event" && !listening.has(this)) {
      early.set(this, [...early.get(this) ?? [], [Date.now(), event.data]])
    }
    return process.call(this, event)
  }
  view.on_event = function (callback) {
    listen.call(this, callback)
    listening.add(this.model)
    const told = (early.get(this.model) ?? []).filter(([at]) => Date.now() - at < EARLY_MS)
    early.delete(this.model)
    setTimeout(() => told.forEach(([, data]) => callback(data)))  // what it draws is on the page then
  }

  // Bokeh 3.9: a layout misses what is put into it while those beside it are still being made (`build_views` lets all
  // of them listen when the last is there): it stays empty. Delete this when `connect_signals` looks again.
  let layout = Bokeh.Models.get("Column").prototype.default_view.prototype
  while (!Object.hasOwn(layout, "build_child_views")) { layout = Object.getPrototypeOf(layout) }
  const connect = layout.connect_signals
  layout.connect_signals = function () {
    connect.call(this)
    const [has, made] = [this.child_models, this._child_views]
    if (has.length !== made.size || has.some((model) => !made.has(model))) { this.update_children() }
  }
}, {once: true})
