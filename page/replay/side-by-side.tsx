import type * as Api from '../../src/model/api.generated.ts'
import {OneMessage} from '../calls/one-message.tsx'
import {ReplayResult} from '../calls/replay-result.tsx'

/** Shows two responses to a pinned call next to each other: that of a round, and the one before it. */
export function SideBySide({
  known: {pins},
  call,
  round
}: {
  readonly known: Api.Pins
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
          <OneMessage
            key={`before-${call}-${round}`}
            title="Before"
            number={earlier?.replay.replay ?? call}
            side="response"
          />
          <OneMessage key={`after-${call}-${round}`} title="After" number={replay.replay} side="response" />
        </div>
      )}
    </section>
  )
}
