import {saveFile} from '../parts/save-file.ts'
import {attempt, failure} from '../parts/strips.tsx'
import {api} from '../state/api.ts'

/** The export formats of the run, each with a file name. */
const FORMATS: readonly (readonly [text: string, format: string, file: string])[] = [
  ['HAR', 'har', 'calls.har'],
  ['curl', 'curl', 'calls.sh']
]

/** Shows a menu that downloads all calls that the filter matches, in a chosen format. */
export function Export({q}: {readonly q: string}) {
  return (
    <select
      aria-label="Export"
      value=""
      onChange={event => {
        const chosen = FORMATS.find(([, format]) => format === event.currentTarget.value)
        event.currentTarget.value = ''
        if (chosen !== undefined) void attempt(async () => save(chosen[1], chosen[2], q))
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
  // every format ends with a note if calls were overwritten
  const [overwritten] = /\d+ calls? (?:was|were) overwritten[\w ,:]+/.exec(await blob.slice(-200).text()) ?? []
  if (overwritten !== undefined) failure.value = `${overwritten}.`
  saveFile(file, blob)
}
