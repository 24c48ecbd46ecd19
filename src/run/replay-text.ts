import type {Round} from '../observe/replay/pins.ts'
import type {Replay} from '../observe/replay/replayer.ts'
import {contentOf} from '../observe/telemetry/recorder/call-content.ts'
import type {Masking} from '../observe/telemetry/recorder/masking.ts'

/** The lines on the terminal after a save: for each pinned call whose answer has changed, or that has no answer. */
export function roundTexts({app, files}: Round, replays: readonly Replay[], masking: Masking): readonly string[] {
  const changed = replays.filter(hasChanged)
  const same = replays.filter(replay => replay.after !== undefined && !hasChanged(replay)).length
  const after = `after ${files.slice(0, 3).join(', ')} of "${app}" ${files.length > 1 ? 'were' : 'was'} saved`
  const texts = changed.map(replay => `pinned ${nameOf(replay, masking)}: ${changeOf(replay)}, ${after}`)
  if (same > 0) texts.push(`${same} pinned ${same === 1 ? 'call is' : 'calls are'} answered as before, ${after}`)
  return texts
}

/** Whether an answer has changed in more than its time, which means little right after a start. */
const hasChanged = ({comparison: {differences}}: Replay): boolean => differences.some(({what}) => what !== 'time')

function nameOf({call}: Replay, masking: Masking): string {
  const {caller, callee} = call.edgeOf
  const path = masking.target(contentOf(call).path)
  return `call ${call.number}, ${call.method} ${path}, ${caller} → ${masking.target(callee)}`
}

function changeOf({before, after, comparison}: Replay): string {
  const [was, is] = [before.status.toString(), (after?.status ?? 0).toString()]
  if (was !== is) return `${was} → ${is}`
  const [first] = comparison.differences
  const more = comparison.count > 1 ? ` and ${comparison.count - 1} more` : ''
  return `${is}, ${first?.path || first?.what || ''} differs${more}`
}
