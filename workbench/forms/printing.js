// Prints a document in a frame that is not seen. Its sandbox lets nothing in it run; this page has it printed.
export function render({model}) {
  const place = document.createElement("span")
  model.on("msg:custom", ([title, page, width]) => {
    const frame = document.createElement("iframe")
    frame.title = title
    frame.sandbox = "allow-same-origin allow-modals"
    frame.tabIndex = -1
    frame.setAttribute("aria-hidden", "true")
    frame.style = `position: fixed; left: -9999px; width: ${width}mm; height: 10px; border: 0`
    frame.addEventListener("load", () => {
      const inside = frame.contentDocument
      const height = Math.ceil(inside.documentElement.scrollHeight * 25.4 / 96) + 1
      const sheet = inside.createElement("style")
      sheet.textContent = `@page { size: ${width}mm ${height}mm; margin: 0 }`
      inside.head.append(sheet)
      frame.contentWindow.print()
    }, {once: true})
    frame.srcdoc = page
    place.replaceChildren(frame)  // the one before has been printed
  })
  return place
}
