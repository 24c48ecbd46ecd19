import type * as Api from '../../src/model/api.generated.ts'
import {dotText, mermaidText} from '../../src/observe/api/graph-drawings.ts'
import {duration} from '../parts/format.ts'
import {saveText} from '../parts/save-text.ts'

/** What the style sheet of the page says, on white paper. */
const STYLE = `svg{background:#fff;font:13px system-ui,sans-serif}
.node rect{fill:#fff;stroke:#5a5e66}.node .name{font-weight:600;fill:#1b1c1f}.node .status{font-size:12px;fill:#5a5e66}
.edge path{fill:none;stroke:#5a5e66;stroke-width:1.5}.edge rect{fill:#f5f5f5;stroke:#d9d9dd}.edge text{font-size:12px;fill:#1b1c1f;text-anchor:middle}
.edge.failing path{stroke:#b3161c;stroke-dasharray:6 4}.edge.failing text{fill:#b3161c}.edge.silent path{stroke-dasharray:2 4}.head{fill:#5a5e66}`

function svgText(): string {
  const picture = document.getElementById('graph-picture')
  if (picture === null) return ''
  const copy = picture.cloneNode(true) as Element
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  // as a whole, however it is looked at
  const [width = '', height = ''] = copy.getAttribute('data-whole')?.split(' ') ?? []
  copy.setAttribute('width', width)
  copy.setAttribute('height', height)
  copy.setAttribute('viewBox', `0 0 ${width} ${height}`)
  const style = document.createElementNS('http://www.w3.org/2000/svg', 'style')
  style.textContent = STYLE
  copy.prepend(style)
  for (const each of [copy, ...copy.querySelectorAll('[tabindex], [role], a')]) {
    for (const name of ['id', 'tabindex', 'role', 'aria-pressed', 'aria-label', 'href', 'data-whole'])
      each.removeAttribute(name)
  }
  return new XMLSerializer().serializeToString(copy)
}

/** What the graph can be saved as; the picture only while it is shown. */
export const EXPORTS: Readonly<Record<string, (graph: Api.Graph) => void>> = {
  SVG: () => saveText('calls.svg', 'image/svg+xml', svgText()),
  Mermaid: graph => saveText('calls.mmd', 'text/plain', mermaidText(graph, duration)),
  DOT: graph => saveText('calls.dot', 'text/vnd.graphviz', dotText(graph, duration)),
  JSON: graph => saveText('calls.json', 'application/json', `${JSON.stringify(graph, null, 2)}\n`)
}
