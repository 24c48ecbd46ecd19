import type * as Api from '../../src/model/api.generated.ts'
import {announce} from '../parts/announce.tsx'
import {confirm} from '../parts/confirm.tsx'
import {count, duration, moment} from '../parts/format.ts'
import {Grid, type Column} from '../parts/grid.tsx'
import {NameFilter} from '../parts/name-filter.tsx'
import {Nothing} from '../parts/nothing.tsx'
import {Payload} from '../parts/payload.tsx'
import {visible} from '../parts/safe-text.ts'
import {mayChange} from '../state/api.ts'
import {useKeys, type Key} from '../state/keys.ts'
import {go, hrefHere, hrefOf, parameter, route} from '../state/route.ts'
import {appList} from '../state/run.ts'
import {change, useAnswer} from '../workflows/instances.ts'

const LIMIT = 1000

const KEYS: readonly Key[] = [{keys: 'Escape', text: 'Close the actor, or its type', run: () => back()}]

/** Goes back from an actor to its type, or from a type to all types. */
const back = (): void => go(hrefHere(...route.value.rest.slice(0, -1)))

const TYPES: readonly Column<Api.ActorType>[] = [
  {head: 'Type', name: 'type', cell: ({type}) => <a href={hrefHere(type)}>{visible(type)}</a>},
  {head: 'Hosts', name: 'hosts', cell: ({hosts}) => (hosts.length === 0 ? 'none' : visible(hosts.join(', ')))},
  {head: 'Active', name: 'active', alignsRight: true, cell: ({active}) => count(active)},
  {
    head: 'Busy',
    name: 'inside',
    isEmpty: ({inside}) => inside === 0,
    alignsRight: true,
    cell: ({inside}) => count(inside)
  },
  {
    head: 'Waiting',
    name: 'waiting',
    isEmpty: ({waiting}) => waiting === 0,
    alignsRight: true,
    cell: ({waiting}) => count(waiting)
  },
  {
    head: 'Reminders',
    name: 'reminders',
    isEmpty: ({reminders}) => reminders === 0,
    alignsRight: true,
    cell: ({reminders}) => count(reminders)
  },
  {
    head: 'Next',
    name: 'next',
    isEmpty: ({next}) => next === null,
    alignsRight: true,
    cell: ({next}) => (next === null ? '' : moment(next))
  }
]

const columnsOf = (type: string): readonly Column<Api.ActorRow>[] => [
  {head: 'Id', name: 'id', cell: ({id}) => <a href={hrefHere(type, id)}>{visible(id)}</a>},
  {head: 'At', name: 'at', cell: ({host}) => visible(host ?? '')},
  {head: 'Inside', name: 'inside', cell: ({inside}) => visible(inside)},
  {
    head: 'Since',
    name: 'since',
    alignsRight: true,
    cell: ({inside, insideMs}) => (inside === '' ? '' : duration(insideMs))
  },
  {head: 'Waiting', name: 'waiting', alignsRight: true, cell: ({waiting}) => count(waiting)},
  {
    head: 'Longest',
    name: 'longest',
    alignsRight: true,
    cell: ({waiting, waitingMs}) => (waiting === 0 ? '' : duration(waitingMs))
  },
  {
    head: 'Idle',
    name: 'idle',
    alignsRight: true,
    cell: ({host, inside, idleMs}) => (host === null || inside !== '' ? '' : duration(idleMs))
  }
]

export default function Actors() {
  const [type = '', id = ''] = route.value.rest
  useKeys(KEYS)
  return type === '' ? <Types /> : <OfType key={type} type={type} id={id} />
}

function Types() {
  const answer = useAnswer('GET /actors', new URLSearchParams())
  const rows = typeof answer === 'object' ? answer.types : []
  return (
    <>
      <div class="tools">
        <h1>Actors</h1>
        <span class="soft far">{rows.length === 1 ? '1 type' : `${count(rows.length)} types`}</span>
      </div>
      {rows.length > 0 ? (
        <Grid
          name="actor-types"
          label="Types of actors"
          columns={TYPES}
          rows={rows}
          keyOf={({type}) => type}
          toneOf={({hosts}) => (hosts.length === 0 ? 'bad' : '')}
          onOpen={({type}) => go(hrefHere(type))}
        />
      ) : (
        <Nothing answer={answer}>
          <p>No app hosts actors. One does if it names their types, as the SDKs do:</p>
          <pre>{'GET /dapr/config → {"entities": ["Cart"]}'}</pre>
        </Nothing>
      )}
    </>
  )
}

function NoActor({type}: {readonly type: string}) {
  const app = appList.value.find(({httpPort}) => httpPort > 0)
  return (
    <>
      <p>None is active. A call makes one so:</p>
      <pre>{`curl -X POST http://${app?.sidecarHost ?? '127.0.0.1'}:${app?.httpPort ?? 3500}/v1.0/actors/${visible(type)}/1/method/METHOD`}</pre>
    </>
  )
}

function OfType({type, id}: {readonly type: string; readonly id: string}) {
  const words = parameter('name')
  const answer = useAnswer('GET /actors/of', new URLSearchParams({type, limit: LIMIT.toString()}))
  const all = typeof answer === 'object' ? answer.actors : []
  const rows = all.filter(each => each.id.includes(words))
  const hidden = typeof answer === 'object' ? answer.count - all.length : 0
  return (
    <>
      <div class="tools">
        <h1>
          <a href={hrefHere()}>Actors</a> / {visible(type)}
        </h1>
        <NameFilter of="actor" words={words} />
        <span class="soft far">
          {hidden > 0
            ? `${count(rows.length)} of ${count(rows.length + hidden)} active`
            : `${count(rows.length)} shown`}
        </span>
      </div>
      <div class="calls-view">
        {rows.length > 0 ? (
          <Grid
            name="actors"
            label={`Actors of the type ${type}`}
            columns={columnsOf(type)}
            rows={rows}
            keyOf={each => each.id}
            selected={id}
            onOpen={each => go(hrefHere(type, each.id))}
          />
        ) : (
          <Nothing answer={answer}>
            {words === '' ? (
              <NoActor type={type} />
            ) : (
              `No actor matches${hidden > 0 ? ` among ${count(all.length)}` : ''}.`
            )}
          </Nothing>
        )}
        {id !== '' && <ActorPanel key={`${type}/${id}`} type={type} id={id} />}
      </div>
    </>
  )
}

function ActorPanel({type, id}: {readonly type: string; readonly id: string}) {
  const actor = useAnswer('GET /actor', new URLSearchParams({type, id}))
  return (
    <section class="panel box" aria-labelledby="actor">
      <div class="tools">
        <h2 id="actor">{visible(`${type}/${id}`)}</h2>
        <a href={hrefOf('calls', [], {q: `actor:"${type}/${id}"`})}>Calls</a>
        <button type="button" title="Key: Escape" onClick={back}>
          Close
        </button>
      </div>
      {typeof actor === 'string' && <p class="bad">{actor}</p>}
      {typeof actor === 'object' && <ActorFacts actor={actor} />}
    </section>
  )
}

function ActorFacts({actor}: {readonly actor: Api.ActorDetail}) {
  const {host, circle, calls, queue, waiting, idleMs, timers, reminders, state: kept, stateProblem} = actor
  const state = host === null ? 'not active' : calls.length === 0 ? `idle for ${duration(idleMs)}` : 'busy'
  return (
    <>
      <p>
        {visible(host === null ? '' : `At ${host}, `)}
        {state}
      </p>
      {circle !== '' && <p class="bad">{visible(circle)}</p>}
      <Turns head="Inside" turns={calls} />
      <Turns head={waiting > queue.length ? `Waiting, the first of ${count(waiting)}` : 'Waiting'} turns={queue} />
      {timers.length > 0 && <p>Timers: {visible(timers.join(', '))}</p>}
      {reminders.length > 0 && <h3>Reminders</h3>}
      {reminders.map(each => (
        <ReminderLine key={each.name} reminder={each} />
      ))}
      <h3>State</h3>
      {kept.map(({key, value, encoding}) => (
        <Payload key={key} title={key} text={value} encoding={encoding} />
      ))}
      {kept.length === 0 && (
        <p class="soft">{visible(stateProblem === '' ? 'It has saved none.' : `It is not shown: ${stateProblem}.`)}</p>
      )}
    </>
  )
}

function Turns({head, turns}: {readonly head: string; readonly turns: readonly Api.ActorTurn[]}) {
  if (turns.length === 0) return null
  return (
    <>
      <h3>{head}</h3>
      <ol>
        {turns.map(({work, caller, sinceMs}, at) => (
          <li key={at}>
            <code>{visible(work)}</code>
            {visible(caller === '' ? '' : ` from ${caller}`)} since {duration(sinceMs)}
          </li>
        ))}
      </ol>
    </>
  )
}

function ReminderLine({reminder: {type, id, name, due, period}}: {readonly reminder: Api.Reminder}) {
  const tell = async (what: 'run' | 'delete'): Promise<void> => {
    const changed = await change(`POST /reminder/${what}`, {body: {type, id, name}})
    if (changed !== undefined) announce(what === 'run' ? `${name}: ${changed.outcome ?? ''}` : `delete: ${name}`)
  }
  return (
    <div class="tools">
      <span>
        <strong>{visible(name)}</strong> at {moment(due)}
        {period !== '' && visible(`, every ${period}`)}
      </span>
      {mayChange && (
        <>
          <button
            type="button"
            class="once"
            title="It fires now, which counts nothing"
            onClick={() => void tell('run')}
          >
            Fire now
          </button>
          <button
            type="button"
            onClick={() =>
              confirm({text: `Delete the reminder ${name}?`, yes: 'Delete', run: () => void tell('delete')})
            }
          >
            Delete …
          </button>
        </>
      )}
    </div>
  )
}
