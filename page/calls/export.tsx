import {saveFile} from '../parts/save-file.ts'
import {failure, showProblem} from '../parts/strips.tsx'
import {api} from '../state/api.ts'

/** What the run writes, and the name of the file. */
const FORMATS: readonly (readonly [text: string, format: string, file: string])[] = [
  ['HAR', 'har', 'calls.har'],
  ['curl', 'curl', 'calls.sh'],
  ['.http file', 'http', 'calls.http'],
  ['OTLP', 'otlp', 'calls.otlp.json']
]

/** Lets the browser save all calls that the filter matches. */
export function Export({q}: {readonly q: string}) {
  return (
    <select
      aria-label="Export"
      value=""
      onChange={event => {
        const chosen = FORMATS.find(([, format]) => format === event.currentTarget.value)
        event.currentTarget.value = ''
        if (chosen !== undefined) save(chosen[1], chosen[2], q).catch(showProblem)
      }}
    >
      <option value="">Export …</option>
      {FORMATS.map(([text, format]) => (
        <option key={format} value={format}>
          {text}
        </option>
      ))}
    </select>
  )
}

async function save(format: string, file: string, q: string): Promise<void> {
  const {response} = await api.open('GET /calls.{format}', {at: {format}, query: {q}})
  const blob = await response.blob()
  // said at the end of each format
  const [overwritten] = /\d+ calls? (?:was|were) overwritten[\w ,:]+/.exec(await blob.slice(-200).text()) ?? []
  if (overwritten !== undefined) failure.value = `${overwritten}.`
  saveFile(file, blob)
}
