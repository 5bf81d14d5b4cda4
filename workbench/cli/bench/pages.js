// What `workbench bench` asks a page: what is drawn, and how long a filter and a tab take.
window.bench = (() => {
  let moved = 0
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) { moved += entry.hadRecentInput ? 0 : entry.value }
  }).observe({type: "layout-shift", buffered: true})

  const all = (wanted) => {
    const found = []
    const walk = (root) => {
      for (const element of root.querySelectorAll("*")) {
        if (wanted(element)) { found.push(element) }
        if (element.shadowRoot) { walk(element.shadowRoot) }
      }
    }
    walk(document)
    return found
  }
  const datas = () => [...Bokeh.documents[0]._all_models.values()].map((model) => model.data).filter((data) => data)
  const labelled = (label) => datas().find((data) => data.label === label && data.options)
  const frame = () => new Promise((done) => requestAnimationFrame(done))
  const moment = () => new Promise((done) => setTimeout(done, 0))
  const until = async (isTrue, limit = 20000) => {
    const began = performance.now()
    while (!isTrue()) {
      if (performance.now() - began > limit) { throw new Error("nothing came") }
      await moment()
    }
    await frame()
    await frame()
    return performance.now() - began
  }
  return {
    charts: () => all((element) => element.tagName === "CANVAS" && element.width > 50).length,
    models: () => Bokeh.documents.reduce((sum, page) => sum + page._all_models.size, 0),
    shift: () => moved,
    scrolled: () => {
      const left = all((element) => element.matches(".unseen, .waiting") && element.checkVisibility())
      if (left.length === 0) { return true }
      left[0].scrollIntoView()
      return false
    },
    choices: (label) => {
      const options = labelled(label).options
      return Array.isArray(options) ? options : Object.values(options)
    },
    filtered: async (label, values) => {
      const heads = datas().filter((data) => data.is_near && data.sent_ms)
      const before = heads.map((data) => data.sent_ms)
      labelled(label).value = values
      return until(() => heads.every((data, place) => data.sent_ms !== before[place]))
    },
    tab: async (name) => {
      const figures = all((element) => element.classList.contains("figure"))
      const isSeen = () => figures.some((element) => element.checkVisibility())
      const was = isSeen()
      all((element) => element.getAttribute("role") === "tab" && element.textContent.trim() === name)[0].click()
      return until(() => isSeen() !== was)
    },
  }
})()
