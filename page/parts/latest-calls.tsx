import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useState} from 'preact/hooks'
import {callEndText} from '../../src/model/call-end.ts'
import {api} from '../state/api.ts'
import {hrefOf} from '../state/route.ts'
import {appList, listen} from '../state/run.ts'
import {visible} from './safe-text.ts'
import {bytes, duration, timeOfDay} from './format.ts'

const MAX_ROWS = 40

/** The calls that ended last: of all apps, or from and to one. */
export function LatestCalls({app = ''}: {readonly app?: string}) {
  const [calls, setCalls] = useState<readonly Api.Call[]>([])
  const [isAnswered, setAnswered] = useState(false)
  useEffect(() => {
    const gone = new AbortController()
    const isOf = ({from, to}: Api.Call): boolean => app === '' || from === app || to === app
    const add = (news: readonly Api.Call[]): void =>
      setCalls(before => {
        const known = new Set(before.map(({number}) => number))
        const added = news.filter(call => isOf(call) && !known.has(call.number))
        return [...added, ...before].toSorted((a, b) => b.number - a.number).slice(0, MAX_ROWS)
      })
    const query = {limit: MAX_ROWS, ...(app !== '' && {q: `app:${app}`})}
    const begin = async (): Promise<void> => {
      const {calls: earlier} = await api.ask('GET /calls', {query, signal: gone.signal})
      setAnswered(true)
      add(earlier.filter(({isOpen}) => !isOpen))
    }
    const load = (): void => void begin().catch(() => undefined) // then those that come
    load()
    const stops = [listen('calls', ({calls: news}) => add(news)), listen('following', load)]
    return () => {
      gone.abort()
      for (const stop of stops) stop()
    }
  }, [app])
  return (
    <div class="latest">
      <h2>
        <span id="latest-calls">Latest calls</span>{' '}
        <a href={hrefOf('calls', [], {q: app === '' ? '' : `app:${app}`})}>all</a>
      </h2>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="latest-calls">
        <table>
          <tbody>
            {calls.map(({number, at, from, to, method, path, status, marks, isFailed, totalMs, responseBytes}) => (
              <tr key={number}>
                <td>{timeOfDay(at)}</td>
                <td class="edge" title={visible(`${from} → ${to}`)}>
                  {visible(`${from} → ${to}`)}
                </td>
                <td class="wide">
                  <a href={hrefOf('calls', [number.toString()])}>
                    <code>{visible(`${method} ${path}`)}</code>
                  </a>
                </td>
                <td class={isFailed ? 'bad' : ''}>
                  {isFailed && '✕ '}
                  {callEndText({status, marks})}
                </td>
                <td class="right">{duration(totalMs)}</td>
                <td class="right">{bytes(responseBytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {calls.length === 0 && isAnswered && <NoCalls />}
      </div>
    </div>
  )
}

/** How to make one: from the first app that has a sidecar to one that takes calls. */
function NoCalls() {
  const caller = appList.value.find(({httpPort}) => httpPort > 0)
  const callee = appList.value.find(({id, appPort}) => appPort > 0 && id !== caller?.id) ?? caller
  return (
    <p class="empty">
      No call has been made yet.
      {caller !== undefined && callee !== undefined && (
        <>
          {' '}
          Make one: <code>{`curl http://127.0.0.1:${caller.httpPort}/v1.0/invoke/${callee.id}/method/`}</code>
        </>
      )}
    </p>
  )
}
