import type * as Api from '../../src/model/api.generated.ts'
import {useState} from 'preact/hooks'
import {callEndText} from '../../src/model/call-end.ts'
import {Actions} from '../calls/actions.tsx'
import {OneMessage} from '../calls/one-message.tsx'
import {now} from '../state/clock.ts'
import {hrefOf} from '../state/route.ts'
import {ago, bytes, duration, timeOfDay} from './format.ts'
import {visible, withoutColours} from './safe-text.ts'

const toEnd = (element: HTMLPreElement | null): void => {
  if (element !== null) element.scrollTop = element.scrollHeight
}

/** Shows a crash: the calls in flight, similar calls answered before, and the app's last lines. */
export function Death({death}: {readonly death: Api.Death}) {
  const {number, name, exit, reason, at, livedMs, files, inside, work, earlier, finished, lines, hint} = death
  /** The number of the answered call whose request is compared with that of the first call in flight; 0 if none. */
  const [compared, setCompared] = useState(0)
  const [deadly] = inside
  return (
    <section class="box death" aria-labelledby="death">
      <h2 id="death">Last crash</h2>
      <p>
        <b>{name}</b> {exit} at {timeOfDay(at)}, {ago(now.value - Date.parse(at))}, {duration(livedMs)} after its start
        {files.length > 0 && (
          <>
            , which followed a change of <code>{visible(files.join(', '))}</code>
          </>
        )}
        {reason === '' ? '.' : `: ${visible(reason)}`} {hint} <small>crash {number}</small>
      </p>
      {work.length > 0 && (
        <p>
          In hand of its worker:{' '}
          {work.map(({kind, name: task, app, id, times}) => (
            <span key={`${app}/${id}/${kind}/${task}`}>
              {kind === 'activity' ? 'activity' : 'the code of workflow'} <code>{visible(task)}</code> of{' '}
              <a href={hrefOf('workflows', [app, id])}>{visible(id)}</a>
              {times > 0 && ` (also at ${times} of the ${earlier} before)`}.{' '}
            </span>
          ))}
        </p>
      )}
      {inside.length === 0 ? (
        work.length === 0 && <p>No recorded call was in flight.</p>
      ) : (
        <div class="scroll" role="region" aria-label="Calls in flight" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th>Call</th>
                <th>From</th>
                <th>Request</th>
                <th>How long</th>
                {earlier > 0 && <th>Before</th>}
                <th>Actions</th>
              </tr>
            </thead>
            <tbody>
              {inside.map(({number: call, from, to, method, path, requestBytes, forMs, count, times, isKept}) => (
                <tr key={call} class="bad">
                  <td>
                    <a href={hrefOf('calls', [call.toString()])}>{call}</a>
                  </td>
                  <td>{from}</td>
                  <td>
                    <code>{visible(`${method} ${path}`)}</code> {count > 1 && `×${count} `}
                    <small>{bytes(requestBytes)}</small>
                  </td>
                  <td>in flight for {duration(forMs)}</td>
                  {earlier > 0 && (
                    <td>
                      {times > 0 && (
                        <b>
                          also in flight at {times} of {earlier} earlier crashes
                        </b>
                      )}
                    </td>
                  )}
                  <td>{isKept && <Actions call={{number: call, method, path, to}} />}</td>
                </tr>
              ))}
              {finished.map(({number: call, from, method, path, requestBytes, status, marks, totalMs, isKept}) => (
                <tr key={call}>
                  <td>
                    <a href={hrefOf('calls', [call.toString()])}>{call}</a>
                  </td>
                  <td>{from}</td>
                  <td>
                    <code>{visible(`${method} ${path}`)}</code> <small>{bytes(requestBytes)}</small>
                  </td>
                  <td>
                    answered {callEndText({status, marks})} in {duration(totalMs)}
                  </td>
                  {earlier > 0 && <td />}
                  <td>
                    {isKept && (
                      <button
                        type="button"
                        aria-expanded={compared === call}
                        onClick={() => setCompared(compared === call ? 0 : call)}
                      >
                        Compare bodies
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {compared > 0 && deadly !== undefined && (
        <div class="sides">
          <OneMessage key={deadly.number} title="In flight when it crashed" number={deadly.number} side="request" />
          <OneMessage key={compared} title="Answered before" number={compared} side="request" />
        </div>
      )}
      <h3 id="last-lines">Its last lines</h3>
      {lines.length === 0 ? (
        <p>It wrote nothing.</p>
      ) : (
        <pre ref={toEnd} tabIndex={0} role="region" aria-labelledby="last-lines">
          {lines.map(withoutColours).join('\n')}
        </pre>
      )}
    </section>
  )
}
