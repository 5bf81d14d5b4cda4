// A place to choose a file or to drop it. The file is read part by part, each when Python asks for it.
const PART_BYTES = 1 << 19

export function render({model}) {
  const place = document.createElement("label")
  const input = document.createElement("input"), said = document.createElement("span")
  place.className = "upload"
  input.type = "file"
  input.accept = model.accept
  input.setAttribute("aria-label", model.label)
  said.setAttribute("role", "status")
  place.append(input, said)
  let file = null, key = ""

  const begin = (chosen) => {
    if (!chosen) { return }
    file = chosen
    key = `${Date.now()}-${Math.random()}`
    model.send_msg({key, name: file.name, size: file.size})
  }
  const send = (blob, asked) => {
    const reader = new FileReader()
    reader.onload = () => model.send_msg({key: asked, part: reader.result.split(",")[1] ?? ""})
    reader.onerror = () => model.send_msg({key: asked, failed: true})
    reader.readAsDataURL(blob)
  }
  const draw = () => { said.textContent = model.text }
  input.addEventListener("change", () => {
    begin(input.files[0])
    input.value = ""  // so that the same file can be chosen again
  })
  for (const name of ["dragenter", "dragover"]) {
    place.addEventListener(name, (event) => { event.preventDefault(); place.classList.add("over") })
  }
  for (const name of ["dragleave", "drop"]) { place.addEventListener(name, () => place.classList.remove("over")) }
  place.addEventListener("drop", (event) => { event.preventDefault(); begin(event.dataTransfer.files[0]) })
  model.on("msg:custom", ([asked, at]) => {
    if (asked === key && file) { send(file.slice(at, at + PART_BYTES), asked) }
  })
  model.on("text", draw)
  draw()
  return place
}
