import type * as Api from '../../src/model/api.generated.ts'
import {exactText, parseExactly} from '../../src/model/exact-json.ts'
import {visible} from '../parts/safe-text.ts'

/** The limits above which lists, texts, nested values and bytes are cut off. */
const MAX_ITEMS = 200
const MAX_TEXT = 100_000
const MAX_DEPTH = 40
const HEX_BYTES = 4096
const HEX_ROW = 16

/** Shows a body by its type: JSON as a tree, other text as it is, bytes in hexadecimal. Never renders HTML. */
export function MessageBody({message, label}: {readonly message: Api.Message; readonly label: string}) {
  const {body, encoding} = message
  if (body === '') return null
  const value = encoding === 'utf8' ? jsonOf(body) : undefined
  return (
    <div class="body" role="region" aria-label={label} tabIndex={0}>
      {value === undefined ? (
        <pre>{encoding === 'utf8' ? visibleLines(body) : hexOf(body)}</pre>
      ) : (
        <Value name="" value={value.value} depth={0} />
      )}
      {message.isUnmasked === true && <p class="soft">Neither JSON nor a form: nothing in it is masked.</p>}
    </div>
  )
}

function jsonOf(body: string): {readonly value: unknown} | undefined {
  if (!/^\s*[[{]/.test(body)) return undefined
  try {
    return {value: parseExactly(body)}
  } catch {
    return undefined
  }
}

const visibleLines = (text: string): string => {
  const shown = text.slice(0, MAX_TEXT).split('\n').map(visible).join('\n')
  return text.length > MAX_TEXT ? `${shown}\n… ${text.length.toLocaleString('en')} characters` : shown
}

/** Returns base64 data as a hex dump: 16 bytes a row, with their characters. */
function hexOf(base64: string): string {
  const bytes = Uint8Array.from(atob(base64), char => char.charCodeAt(0))
  const rows: string[] = []
  for (let at = 0; at < Math.min(bytes.length, HEX_BYTES); at += HEX_ROW) {
    const row = [...bytes.subarray(at, at + HEX_ROW)]
    const hex = row.map(byte => byte.toString(16).padStart(2, '0')).join(' ')
    const text = row.map(byte => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('')
    rows.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(3 * HEX_ROW)} ${text}`)
  }
  if (bytes.length > HEX_BYTES) rows.push(`… ${bytes.length.toLocaleString('en')} bytes`)
  return rows.join('\n')
}

/** Shows a JSON value; objects and arrays can be folded. */
function Value({name, value, depth}: {readonly name: string; readonly value: unknown; readonly depth: number}) {
  const label = name === '' ? '' : `${visible(name)}: `
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH)
    return (
      <div class="value">
        {label}
        <code class={typeof value}>{visible(depth > MAX_DEPTH ? '…' : exactText(value))}</code>
      </div>
    )
  const isList = Array.isArray(value)
  const entries = Object.entries(value as Readonly<Record<string, unknown>>)
  const size = isList ? `[${entries.length}]` : `{${entries.length}}`
  return (
    <details class="value" open={depth < 2 && entries.length <= 50}>
      <summary>
        {label}
        <span class="soft">{size}</span>
      </summary>
      {entries.slice(0, MAX_ITEMS).map(([key, inner]) => (
        <Value key={key} name={key} value={inner} depth={depth + 1} />
      ))}
      {entries.length > MAX_ITEMS && <p class="soft">… {(entries.length - MAX_ITEMS).toLocaleString('en')} more</p>}
    </details>
  )
}
