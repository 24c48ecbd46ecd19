import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useMemo, useState} from 'preact/hooks'
import {callFacts} from '../../src/model/call-facts.ts'
import {bytes, duration, timeOfDay} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {api, keptOr} from '../state/api.ts'
import {hrefHere} from '../state/route.ts'
import {endAll, listen, opened, type EventData} from '../state/run.ts'
import {Actions} from './actions.tsx'
import {statusText, whyText} from './columns.tsx'
import {LinesAround} from './lines-around.tsx'
import {MessageBody} from './message-body.tsx'
import {edgeOf, errorOf, Name, Tree, useTree} from './trace.tsx'

/** Returns a call, updated until it ends; a string says why there is none. */
function useCall(number: number): Api.CallDetail | string | undefined {
  const [call, setCall] = useState<Api.CallDetail | string | undefined>(undefined)
  const isOpen = typeof call === 'object' && call.isOpen
  useEffect(() => {
    const gone = new AbortController()
    const load = async (): Promise<void> => {
      try {
        setCall(await api.ask('GET /calls/{number}', {at: {number}, signal: gone.signal}))
      } catch (error) {
        if (!gone.signal.aborted) setCall(keptOr(error, before => before.number === number))
      }
    }
    setCall(before => (typeof before === 'string' ? undefined : before))
    void load()
    const onCalls = ({calls, notShown}: EventData['calls']): void => {
      if (notShown > 0 || calls.some(each => each.number === number)) void load()
    }
    const stops = isOpen ? [listen('calls', onCalls), listen('following', () => void load())] : []
    return endAll(() => gone.abort(), ...stops)
  }, [number, isOpen, opened.value])
  return typeof call === 'object' && call.number !== number ? undefined : call
}

/** Shows the request that a call belongs to: how it ended and why, all its steps, and what the call sent and received. */
export function Request({number}: {readonly number: number}) {
  const call = useCall(number)
  const isOpen = typeof call === 'object' && call.isOpen
  const tree = useTree(number.toString(), isOpen ? 'open' : 'ended')
  return (
    <div class="sheet">
      <div class="tools">
        <h1>
          <a href={hrefHere()}>Calls</a> / {number}
        </h1>
        {typeof call === 'object' && (
          <p>
            <code>{`${call.method} ${visible(call.path)}`}</code> {visible(`${call.from} → ${call.to}`)},{' '}
            <b class={call.isFailed ? 'bad' : ''}>{statusText(call)}</b>
            {!call.isOpen && ` after ${duration(call.totalMs)}`}, {timeOfDay(call.at)}
          </p>
        )}
      </div>
      {call === undefined && <p class="soft">Asking the run …</p>}
      {typeof call === 'string' && <p class="bad">{call}</p>}
      {typeof tree === 'object' && <Failure tree={tree} />}
      {typeof call === 'object' && <Actions key={number} call={call} edited={call} hasKeys />}
      {typeof tree === 'string' && typeof call === 'object' && <p class="bad">{tree}</p>}
      {typeof tree !== 'string' && typeof call !== 'string' && (
        <section class="box steps" aria-label="Steps of the request">
          {tree === undefined ? <p class="soft">Joining the calls of the request …</p> : <Tree tree={tree} />}
        </section>
      )}
      {typeof call === 'object' && (
        <Content key={number} call={call} hasCard={typeof tree === 'object' && tree.failedAt !== null} />
      )}
    </div>
  )
}

/** Shows the step at which a request failed, and its error. */
function Failure({tree}: {readonly tree: Api.RequestTree}) {
  const {nodes, failedAt, asked} = tree
  const began = nodes.find(({id}) => id === failedAt)
  const error = errorOf(tree)
  if (began === undefined) return null
  return (
    <section class="card bad" aria-label="Failure">
      <div>
        <p>
          {began.id === asked ? (
            'It failed:'
          ) : (
            <>
              The failure began at{' '}
              <Name node={began}>
                {edgeOf(began)} {visible(began.what)}
              </Name>
              :
            </>
          )}
        </p>
        <p class="error">{error || `✕ ${began.outcome}`}</p>
      </div>
    </section>
  )
}

/** Facts of a call that the page shows elsewhere. */
const ELSEWHERE = new Set(['waitedMs', 'firstByteMs', 'failure', 'traceparent'])

/** `hasCard`: the card above says why the request failed. */
function Content({call, hasCard}: {readonly call: Api.CallDetail; readonly hasCard: boolean}) {
  const {from, to, at, isKept, request, response, requestBytes, responseBytes} = call
  const why = whyText(hasCard ? {...call, failure: ''} : call)
  return (
    <section class="box content" aria-labelledby="content">
      <h2 id="content">
        {visible(`${from} → ${to}`)} <code>{`${call.method} ${visible(call.path)}`}</code>
      </h2>
      {why !== '' && <p>{why}</p>}
      <p class="soft">{visible(callFacts(call, ELSEWHERE).join(', '))}</p>
      <Timing call={call} />
      {!isKept && <p class="soft">Its bytes are no longer kept.</p>}
      <div class="sides">
        <Message title={`Request, ${bytes(requestBytes)}`} message={request} />
        <Message title={`Answer, ${bytes(responseBytes)}`} message={response} />
      </div>
      <LinesAround
        key={call.isOpen ? 'open' : 'ended'}
        apps={[from, to]}
        from={Date.parse(at)}
        until={Date.parse(at) + call.totalMs}
      />
    </section>
  )
}

/** Returns the phases of a call in their order. */
function phasesOf(call: Api.CallDetail): readonly (readonly [name: string, ms: number])[] {
  const {waitedMs, connectMs, firstByteMs, totalMs, isOpen} = call
  const first = firstByteMs === 0 ? totalMs : firstByteMs
  return [
    ['held', waitedMs],
    ['connect', connectMs],
    [isOpen ? 'so far' : 'waiting', Math.max(0, first - waitedMs - connectMs)],
    ['receiving', Math.max(0, totalMs - first)]
  ]
}

function Timing({call}: {readonly call: Api.CallDetail}) {
  const phases = phasesOf(call).filter(([, ms]) => ms > 0)
  const whole = Math.max(
    phases.reduce((sum, [, ms]) => sum + ms, 0),
    0.001
  )
  let from = 0
  return (
    <div class="timing">
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        {phases.map(([name, ms]) => {
          const x = from
          from += (100 * ms) / whole
          return <rect key={name} class={name.replace(' ', '-')} x={x} y="0" width={(100 * ms) / whole} height="6" />
        })}
      </svg>
      <ul aria-label="Timing">
        {phases.map(([name, ms]) => (
          <li key={name}>
            <span class={`key ${name.replace(' ', '-')}`} aria-hidden="true" /> {name} {duration(ms)}
          </li>
        ))}
      </ul>
    </div>
  )
}

function Message({title, message}: {readonly title: string; readonly message: Api.CallDetail['request']}) {
  const {line, headers} = message
  const heads = useMemo(
    () => [line, ...headers.map(([name, value]) => `${name}: ${value}`)].map(visible).join('\n'),
    [message]
  )
  if (line === '') return null
  return (
    <section class="message" aria-label={title}>
      <h3>{title}</h3>
      <MessageBody message={message} label={`${title}, body`} />
      <details>
        <summary>
          {visible(line)}, {headers.length} headers
        </summary>
        <pre tabIndex={0} aria-label={`${title}, head`}>
          {heads}
        </pre>
      </details>
    </section>
  )
}
