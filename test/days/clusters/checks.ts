import {TEMPLATE_LABEL} from '../../../src/packages/kubernetes/object.ts'
import type {Command} from './command.ts'
import type {Workshop} from './workshop.ts'

/** Each line of a pod that a run saw from its beginning was printed, as far as its log can be read. */
export function lostLines(all: readonly Command[], workshop: Workshop, now: number): readonly string[] {
  const faults: string[] = []
  const before = now - 20_000
  const base = Date.UTC(2026, 0, 1)
  for (const run of all) {
    if (run.run === undefined || run.stoppingAt !== undefined) continue
    for (const pod of workshop.pods.values()) {
      if (
        pod.labels[TEMPLATE_LABEL] !== run.template ||
        pod.isEvicted ||
        pod.isEnding ||
        pod.madeAt < (run.said.find(({text}) => text.startsWith('resource-applied'))?.at ?? Infinity)
      )
        continue
      if (!run.said.some(({text}) => text.endsWith(` ${pod.path.split('/').at(-1)}`))) continue
      for (const starts of pod.starts.values())
        for (const {lines} of starts.slice(-2))
          for (const {at, text} of lines)
            if (Date.parse(at) - base < before && !run.printed.has(text))
              faults.push(
                `${run.name} did not print: ${at} ${text} (pod ${JSON.stringify([...pod.starts].map(([name, all]) => [name, all.map(one => [one.id, one.startedAt, one.end?.finishedAt])]))})`
              )
    }
  }
  return faults
}

/** When a command that stops has said nothing for too long. */
export function silences(command: Command, now: number, limitMs: number): readonly string[] {
  const faults: string[] = []
  if (command.isDead || command.stoppingAt === undefined) return []
  const times = [
    command.stoppingAt,
    ...command.said.map(({at}) => at),
    ...(command.end === undefined ? [now] : [])
  ].filter(at => at >= (command.stoppingAt ?? 0))
  for (const [index, at] of times.entries()) {
    const silence = at - (times[index - 1] ?? at)
    if (silence > limitMs)
      faults.push(
        `${command.name} said nothing for ${(silence / 1000).toFixed(1)} s while it stopped, until ${at / 1000}`
      )
  }
  return faults
}
