import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useMemo, useState} from 'preact/hooks'
import {bytes, duration, timeOfDay} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {api, problemOf} from '../state/api.ts'
import {listen, type EventData} from '../state/run.ts'
import {Actions} from './actions.tsx'
import {statusText, whyText} from './columns.tsx'
import {LinesAround} from './lines-around.tsx'
import {MessageBody} from './message-body.tsx'
import {Trace} from './trace.tsx'

type Loaded = Api.CallDetail | string | undefined

/** One call: its times, what was sent both ways, what the apps wrote meanwhile, and the calls of its trace. */
export function CallPanel({number, onClose}: {readonly number: number; readonly onClose: () => void}) {
  const [call, setCall] = useState<Loaded>(undefined)
  const isOpen = typeof call === 'object' && call.isOpen
  useEffect(() => {
    const gone = new AbortController()
    const load = async (): Promise<void> => {
      try {
        setCall(await api.ask('GET /calls/{number}', {at: {number}, signal: gone.signal}))
      } catch (error) {
        if (!gone.signal.aborted) setCall(problemOf(error).message)
      }
    }
    void load()
    const onCalls = ({calls}: EventData['calls']): void => {
      if (calls.some(each => each.number === number)) void load()
    }
    const stops = isOpen ? [listen('calls', onCalls), listen('following', () => void load())] : []
    return () => {
      gone.abort()
      for (const stop of stops) stop()
    }
  }, [number, isOpen])
  const title = `call-${number}`
  return (
    <section class="panel box" aria-labelledby={title}>
      <div class="tools">
        <h2 id={title}>
          Call {number}
          {typeof call === 'object' && <code>{` ${call.method} ${visible(call.path)}`}</code>}
        </h2>
        <button type="button" class="far" aria-label="Close the call" title="Key: Esc" onClick={onClose}>
          ✕
        </button>
      </div>
      {call === undefined && <p class="soft">Asking the run …</p>}
      {typeof call === 'string' && <p class="bad">{call}</p>}
      {typeof call === 'object' && <Content call={call} />}
    </section>
  )
}

function Content({call}: {readonly call: Api.CallDetail}) {
  const {from, to, at, isKept, isTruncated, request, response, requestBytes, responseBytes} = call
  const why = whyText(call)
  return (
    <>
      <p>
        {visible(`${from} → ${to}`)}, {timeOfDay(at)}, <b class={call.isFailed ? 'bad' : ''}>{statusText(call)}</b>
        {!call.isOpen && ` after ${duration(call.totalMs)}`}
      </p>
      {why !== '' && <p>{why}</p>}
      <Actions call={call} hasKeys />
      <Timing call={call} />
      <Trace
        key={call.number}
        q={call.number.toString()}
        isOpen={call.isFailed}
        version={call.isOpen ? 'open' : 'ended'}
      />
      {!isKept && <p class="soft">Its bytes are no longer kept.</p>}
      {isTruncated && (
        <p class="soft">
          The bodies are shown in part: <code>record.body</code> of the template sets how much is kept.
        </p>
      )}
      <Message title={`Request, ${bytes(requestBytes)}`} message={request} />
      <Message title={`Answer, ${bytes(responseBytes)}`} message={response} />
      <LinesAround
        key={call.isOpen ? 'open' : 'ended'}
        apps={[from, to]}
        from={Date.parse(at)}
        until={Date.parse(at) + call.totalMs}
      />
    </>
  )
}

/** The phases of a call, one after the other. */
function phasesOf({
  waitedMs,
  connectMs,
  firstByteMs,
  totalMs,
  isOpen
}: Api.CallDetail): readonly (readonly [name: string, ms: number])[] {
  const first = firstByteMs === 0 ? totalMs : firstByteMs
  return [
    ['waited', waitedMs],
    ['connect', connectMs],
    [isOpen ? 'so far' : 'first byte', Math.max(0, first - waitedMs - connectMs)],
    ['last byte', Math.max(0, totalMs - first)]
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
    <details open class="message">
      <summary>{title}</summary>
      <pre tabIndex={0} aria-label={`${title}, head`}>
        {heads}
      </pre>
      <MessageBody message={message} label={`${title}, body`} />
    </details>
  )
}
