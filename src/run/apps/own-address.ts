import type {Sink} from '../../model/events.ts'
import {movedText} from '../../model/moved-ports.ts'
import type {AppPlan} from '../../model/plan.ts'

/**
 * Returns a sink that writes the address of the app once, below its first line with the number in its code. In a worktree that number
 * belongs to the main copy: a person who opens the address tests the other branch.
 */
export function withOwnAddress(sink: Sink, {published}: Pick<AppPlan, 'published'>): Sink {
  if (published === undefined || published.inCode === published.number) return sink
  const moved = new Map([[published.inCode, published.number]])
  let isWritten = false
  return lines => {
    const waits = sink(lines)
    if (isWritten || lines.stream === 'status' || movedText(lines.text, moved) === lines.text) return waits
    isWritten = true
    const also = sink({...lines, text: `callers reach it at http://localhost:${published.number}\n`})
    return waits === undefined ? also : waits.then(async () => also)
  }
}
