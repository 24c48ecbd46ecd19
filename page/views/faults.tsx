import type * as Api from '../../src/model/api.generated.ts'
import {useState} from 'preact/hooks'
import {commandOf, EMPTY, formOf, keysOf, KINDS, templateLines, type FaultForm} from '../faults/fault-form.ts'
import {change, remove} from '../faults/quick-faults.tsx'
import {confirm} from '../parts/confirm.tsx'
import {CopyButton} from '../parts/copy-button.tsx'
import {api, mayChange} from '../state/api.ts'
import {faults, type KnownFault} from '../state/faults.ts'
import {route} from '../state/route.ts'
import {appList, edges, runId} from '../state/run.ts'

const enable = async ({number}: Api.Fault, isEnabled: boolean): Promise<boolean> => {
  const verb = isEnabled ? 'enable' : 'disable'
  return change(`fault ${number} is ${verb}d`, async () =>
    api.ask('POST /faults/{number}/{verb}', {at: {number, verb}})
  )
}

export default function Faults() {
  const {parameters} = route.value
  const [form, setForm] = useState<FaultForm>({
    ...EMPTY,
    from: parameters.get('from') ?? EMPTY.from,
    to: parameters.get('to') ?? EMPTY.to
  })
  const [chosen, setEdited] = useState('')
  // a fault that has ended, also with its run, is no longer edited: the form adds a new one
  const edited = faults.value.find(({number}) => `${runId.value} ${number}` === chosen)?.number ?? 0
  const save = async (): Promise<void> => {
    const body = keysOf(form)
    const done =
      edited === 0
        ? await change('the fault is on', async () => api.ask('POST /faults', {body}))
        : await change(`fault ${edited} is changed`, async () =>
            api.ask('POST /faults/{number}', {at: {number: edited}, body})
          )
    if (done) setEdited('')
  }
  return (
    <>
      <div class="tools">
        <h1>Faults</h1>
        {mayChange && faults.value.length > 0 && (
          <button
            type="button"
            class="far"
            onClick={() => void change('all faults are off', async () => api.ask('DELETE /faults'))}
          >
            All off
          </button>
        )}
      </div>
      <Table
        onEdit={row => {
          setForm(formOf(row))
          setEdited(`${runId.value} ${row.number}`)
        }}
      />
      {mayChange && (
        <div class="halves">
          <Form
            form={form}
            setForm={setForm}
            edited={edited}
            save={() => {
              const {from, to, actor, method, path} = form
              const hitsAll = from === 'any' && to === 'any' && actor + method + path === ''
              if (!hitsAll) void save()
              else confirm({text: 'This fault hits every call of the run.', yes: 'Switch on', run: () => void save()})
            }}
          />
          <Same form={form} />
        </div>
      )}
    </>
  )
}

function Table({onEdit}: {readonly onEdit: (row: KnownFault) => void}) {
  if (faults.value.length === 0)
    return <p class="empty box">No fault is active. A fault makes calls fail, wait or break off.</p>
  return (
    <div class="scroll box" role="region" aria-label="Faults that are on" tabIndex={0}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Fault</th>
            <th scope="col">State</th>
            <th scope="col">Calls</th>
            <th scope="col">What happens</th>
            <th scope="col">How often</th>
            <th scope="col" class="right">
              Seed
            </th>
            <th scope="col" class="right">
              Hit
            </th>
            {mayChange && <th scope="col">Change</th>}
          </tr>
        </thead>
        <tbody>
          {faults.value.map(row => (
            <tr key={row.number} class={row.isEnabled ? '' : 'disabled'}>
              <th scope="row">
                {row.isEnabled ? '⚡' : '○'} {row.number}
              </th>
              <td>
                {mayChange ? (
                  <button
                    type="button"
                    role="switch"
                    aria-checked={row.isEnabled}
                    aria-label={`Fault ${row.number} hits calls`}
                    onClick={() => void enable(row, !row.isEnabled)}
                  >
                    {row.isEnabled ? 'on' : 'off'}
                  </button>
                ) : row.isEnabled ? (
                  'enabled'
                ) : (
                  'disabled'
                )}
              </td>
              <td class="edge" title={row.texts.edge}>
                {row.texts.edge}
              </td>
              <td>{row.texts.effect}</td>
              <td>{[row.texts.rate, row.texts.limit].filter(text => text !== '').join(', ') || 'each call'}</td>
              <td class="right">{row.rate < 1 || row.jitterMs > 0 ? row.seed : ''}</td>
              <td class="right">
                {row.hits} of {row.matched}
              </td>
              {mayChange && (
                <td>
                  <button type="button" aria-label={`Edit fault ${row.number}`} onClick={() => onEdit(row)}>
                    Edit
                  </button>{' '}
                  <button type="button" aria-label={`Remove fault ${row.number}`} onClick={() => void remove(row)}>
                    Remove
                  </button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface FormProps {
  readonly form: FaultForm
  readonly setForm: (form: FaultForm) => void
  /** The number of the fault that is edited; 0 for a new one. */
  readonly edited: number
  readonly save: () => void
}

/** The fields of the form; a field with a kind is shown only for that kind of fault. */
const FIELDS: readonly (readonly [
  name: Exclude<keyof FaultForm, 'kind'>,
  label: string,
  example: string,
  kind?: FaultForm['kind']
])[] = [
  ['from', 'From', 'any'],
  ['to', 'To', 'any'],
  ['actor', 'Type of actors', 'every call'],
  ['method', 'Method', 'every one'],
  ['path', 'Path', '/orders/*'],
  ['delay', 'Delay', '300ms'],
  ['jitter', 'Jitter', '100ms'],
  ['status', 'Status', '503', 'status'],
  ['body', 'Body', 'Custom body', 'status'],
  ['cutAfter', 'Bytes before the cut', 'the head', 'cut'],
  ['rate', 'Percent of the calls', '100'],
  ['seed', 'Seed', '1'],
  ['times', 'Limit', 'none'],
  ['for', 'For', 'until the run ends']
]

function Form({form, setForm, edited, save}: FormProps) {
  const ids = [...new Set([...appList.value.map(({id}) => id), ...edges.value.flatMap(({from, to}) => [from, to])])]
  const shown = FIELDS.filter(([, , , kind]) => kind === undefined || kind === form.kind)
  const field = ([name, label, example]: (typeof FIELDS)[number]) => (
    <label key={name}>
      {label}
      <input
        type="text"
        placeholder={example}
        value={form[name]}
        list={name === 'from' || name === 'to' ? 'fault-ids' : undefined}
        onInput={event => setForm({...form, [name]: event.currentTarget.value})}
      />
    </label>
  )
  return (
    <form
      class="box fields"
      aria-label={edited === 0 ? 'New fault' : `Fault ${edited}`}
      onSubmit={event => {
        event.preventDefault()
        save()
      }}
    >
      <datalist id="fault-ids">
        {['any', ...ids].map(id => (
          <option key={id} value={id} />
        ))}
      </datalist>
      {shown.slice(0, 6).map(field)}
      <label>
        Then
        <select
          value={form.kind}
          onChange={event => setForm({...form, kind: event.currentTarget.value as FaultForm['kind']})}
        >
          {Object.entries(KINDS).map(([kind, text]) => (
            <option key={kind} value={kind}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {shown.slice(6).map(field)}
      <button type="submit">{edited === 0 ? 'Switch on' : `Replace fault ${edited}`}</button>
    </form>
  )
}

function Same({form}: {readonly form: FaultForm}) {
  const keys = keysOf(form)
  const [command, lines] = [commandOf(keys), templateLines(keys)]
  return (
    <section class="box same" aria-label="The same as text">
      <h2>As a command</h2>
      <pre tabIndex={0}>{command}</pre>
      <CopyButton text={command} label="Copy the command" />
      <h2>In the template</h2>
      <pre tabIndex={0}>{lines}</pre>
      <CopyButton text={lines} label="Copy the lines" />
    </section>
  )
}
