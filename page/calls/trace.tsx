import type * as Api from '../../src/model/api.generated.ts'
import {useState} from 'preact/hooks'
import {guessText} from '../../src/model/call-guess.ts'
import {traceIdOf} from '../../src/model/traceparent.ts'
import {Bars, type Bar} from '../parts/bars.tsx'
import {visible} from '../parts/safe-text.ts'
import {ask, problemOf} from '../state/api.ts'
import {now} from '../state/clock.ts'
import {hrefOfCall, statusText} from './columns.tsx'
import {TraceWorkflows} from './trace-workflows.tsx'

/** The whole request that a call belongs to: all calls that were made for it, as bars over time. */
export function Trace({call}: {readonly call: Api.CallDetail}) {
  const [tree, setTree] = useState<Api.RequestTree | string | undefined>(undefined)
  const id = traceIdOf(call.traceparent)
  const load = (isOpen: boolean): void => {
    if (!isOpen || tree !== undefined) return
    ask<Api.RequestTree>(`/trace?q=${call.number}`).then(setTree, (error: unknown) => setTree(problemOf(error).message))
  }
  return (
    <details class="message" onToggle={event => load(event.currentTarget.open)}>
      <summary>The whole request</summary>
      {id !== '' && (
        <p class="soft">
          trace <code>{id}</code>
        </p>
      )}
      {id !== '' && tree !== undefined && <TraceWorkflows call={call} trace={id} />}
      {typeof tree === 'string' && <p class="bad">{tree}</p>}
      {typeof tree === 'object' && <Tree tree={tree} number={call.number} />}
    </details>
  )
}

function Tree({tree: {calls, failedAt, leftOut}, number}: {readonly tree: Api.RequestTree; readonly number: number}) {
  const began = calls.find(each => each.number === failedAt)
  return (
    <>
      {began !== undefined && began.number !== number && (
        <p>
          The failure began at{' '}
          <a href={hrefOfCall(began.number)}>
            {visible(`${began.from} → ${began.to}`)} {statusText(began)}
          </a>
        </p>
      )}
      <Bars bars={calls.map(each => barOf(each, number))} label="Calls of the request" now={now.value} />
      {leftOut > 0 && <p class="soft">{leftOut} more calls are not shown.</p>}
    </>
  )
}

function barOf(call: Api.TreeCall, number: number): Bar {
  const from = Date.parse(call.at)
  const guess = guessText(call.link)
  return {
    key: call.number.toString(),
    label: (
      <a href={hrefOfCall(call.number)} aria-current={call.number === number ? 'true' : undefined}>
        {visible(`${call.from} → ${call.to}`)}
      </a>
    ),
    from,
    to: call.isOpen ? undefined : from + call.totalMs,
    depth: call.depth,
    tone: call.isFailed ? 'failed' : guess !== '' ? 'hatched' : 'done',
    note: [`${call.method} ${visible(call.path)} ${statusText(call)}`, guess].filter(text => text !== '').join(', ')
  }
}
