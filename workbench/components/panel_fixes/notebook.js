// For notebooks: what Python sends to an output that is still being built waits for it. Panel 1.9 drops such messages
// (CommManager's msg_handler finds no plot yet), so what was answered at once stayed "Loading", or without its engine.
(() => {
  const LOOK_MS = 20
  const MOST_MS = 60000 // what is not built by then was removed

  const isBuilt = (plot) => window.PyViz.plot_index?.[plot] != null || window.Bokeh?.index[plot] != null

  const inTurn = (plot, handle) => {
    const waiting = []
    let timer = null
    const look = (end) => {
      if (!isBuilt(plot) && Date.now() < end) { return }
      clearInterval(timer)
      timer = null
      waiting.splice(0).forEach(handle)
    }
    return (message) => {
      if (timer === null && isBuilt(plot)) {
        handle(message)
        return
      }
      waiting.push(message)
      timer ??= setInterval(look, LOOK_MS, Date.now() + MOST_MS)
    }
  }

  const patient = (manager) => {
    const register = manager.register_target
    manager.register_target = (plot, comm, handle) => register.call(manager, plot, comm, inTurn(plot, handle))
    return manager
  }

  // This may run before Panel's own script; and whoever loads HoloViews or Panel again puts a new manager here.
  window.PyViz ??= {comms: {}, comm_status: {}, kernels: {}, receivers: {}, plot_index: []}
  if (!window.PyViz.is_patient) {
    const found = window.PyViz.comm_manager
    let manager = found && patient(found)
    Object.defineProperty(window.PyViz, "comm_manager", {
      get: () => manager,
      set: (next) => { manager = patient(next) },
    })
    window.PyViz.is_patient = true
  }
})()
