import {useEffect, useState} from 'preact/hooks'
import type {CallDetail} from '../../src/api/call-view.ts'
import type {PinsAnswer} from '../../src/api/replay-view.ts'
import {MessageBody} from '../calls/message-body.tsx'
import {ReplayResult} from '../calls/replay-result.tsx'
import {statusText} from '../calls/columns.tsx'
import {ask, problemOf} from '../state/api.ts'
import {hrefOf} from '../state/route.ts'

/** Two answers to a pinned call, next to each other: of a round, and of the one before. */
export function SideBySide({
  known: {pins},
  call,
  round
}: {
  readonly known: PinsAnswer
  readonly call: number
  readonly round: number
}) {
  const pin = pins.find(each => each.call === call)
  const at = pin?.results.findIndex(result => result.round === round) ?? -1
  const replay = pin?.results[at]?.replay
  if (pin === undefined || replay === undefined) return null
  const earlier = pin.results.slice(0, at).findLast(result => result.replay.replay > 0)
  return (
    <section class="box side" aria-label="Answers side by side">
      <ReplayResult replay={replay} />
      {replay.replay > 0 && (
        <div class="sides">
          <AnswerOf
            key={`before-${call.toString()}-${round.toString()}`}
            title="Before"
            number={earlier?.replay.replay ?? call}
          />
          <AnswerOf key={`after-${call.toString()}-${round.toString()}`} title="After" number={replay.replay} />
        </div>
      )}
    </section>
  )
}

function AnswerOf({title, number}: {readonly title: string; readonly number: number}) {
  const [call, setCall] = useState<CallDetail | string | undefined>(undefined)
  useEffect(() => {
    const gone = new AbortController()
    ask<CallDetail>(`/calls/${number.toString()}`, {signal: gone.signal}).then(setCall, (error: unknown) => {
      if (!gone.signal.aborted) setCall(problemOf(error).message)
    })
    return () => gone.abort()
  }, [number])
  return (
    <div class="answer" role="group" aria-label={title}>
      <h2>
        {title}: <a href={hrefOf('calls', [number.toString()])}>call {number}</a>
        {typeof call === 'object' && `, ${statusText(call)}`}
      </h2>
      {typeof call === 'string' && <p class="soft">{call}</p>}
      {typeof call === 'object' && <MessageBody message={call.response} label={`${title}, body`} />}
    </div>
  )
}
