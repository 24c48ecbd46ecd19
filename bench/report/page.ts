import type {Measure} from '../figure.ts'
import {FIGURES} from '../figures.ts'
import {GOALS} from '../goals.ts'
import {verdictOf} from '../table.ts'
import type {Results, Taken} from './results.ts'

/** Returns docs/performance.md: a summary of the goals, then each figure with its table. */
export function page(results: Results): string {
  const taken = FIGURES.flatMap(({name, title, what}) => {
    const result = results[name]
    return result === undefined ? [] : [{title, what, result}]
  })
  return [
    '# Performance\n',
    '<!-- written by `npm run bench -- --write` from performance.json -->\n',
    INTRODUCTION,
    summary(taken.map(({result}) => result)),
    ...taken.flatMap(({title, what, result}) => [`## ${title}\n`, `${what}\n`, table(result.measures), '']),
    NOT_COMPARED
  ].join('\n')
}

const INTRODUCTION = `Pillion compared with other tools on one machine. The rounds of a figure alternate between the tools (A, B, A, B …). Numbers are
medians; a ratio is Pillion's number divided by the other's, round by round, with its smallest and its largest round.
Pillion runs as delivered: headers of Dapr, recorder, metrics and log files are on. A failed call, a missing header or a lost
line fails the figure.
`

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)]

function summary(taken: readonly Taken[]): string {
  const judged = taken.flatMap(({measures}) =>
    measures.filter((each, at) => {
      const isRepeated = GOALS[each.name]?.of === 'ours' && measures.findIndex(({name}) => name === each.name) < at
      return verdictOf(each).isMet !== undefined && !isRepeated
    })
  )
  const met = judged.filter(each => verdictOf(each).isMet === true).length
  const rows = judged.map(each => {
    const {ours, ratio, goal, isMet} = verdictOf(each)
    const isRatio = GOALS[each.name]?.of === 'ratio'
    return `| ${each.name} | ${isRatio ? `${ratio} ${each.peerName}` : ours} | ${goal} | ${isMet === true ? '✓' : '**missed**'} |`
  })
  const accounts = judged.flatMap(each => {
    const account = verdictOf(each).isMet === false ? GOALS[each.name]?.account : undefined
    return account === undefined ? [] : [`- **${each.name}**: ${account}`]
  })
  return [
    '## Summary\n',
    `${met} of ${judged.length} goals are met. ${circumstances(taken)}\n`,
    '| | Pillion | goal | |\n|---|--:|--:|---|',
    ...rows,
    ...(accounts.length === 0 ? [] : ['\nWhere the time or memory of the missed goals goes:\n', ...accounts]),
    ''
  ].join('\n')
}

function circumstances(taken: readonly Taken[]): string {
  const days = unique(taken.map(({date}) => date)).toSorted()
  const short = taken.some(({isShort}) => isShort) ? ' **Provisional:** some rounds were short.' : ''
  const machines = unique(taken.map(({machine}) => machine)).join('; ')
  return `Measured ${unique([days[0] ?? '', days.at(-1) ?? '']).join(' to ')} on ${machines}. ${versions(taken)}.${short}`
}

/** Returns each program with all versions that took part. */
function versions(all: readonly Taken[]): string {
  const pairs = all.flatMap(each => Object.entries(each.versions))
  const names = unique(pairs.map(([name]) => name))
  return names
    .map(
      name => `${name} ${unique(pairs.filter(([each]) => each === name).map(([, version]) => version)).join(' and ')}`
    )
    .join(' · ')
}

const HEAD = '| | Pillion | compared with | its | ratio | min–max |\n|---|--:|---|--:|--:|--:|'

const table = (measures: readonly Measure[]): string =>
  [HEAD, ...measures.map((each, at) => row(each, measures[at - 1]))].join('\n')

/** The name and our number stand in the first row of a measure alone. */
function row(measure: Measure, before: Measure | undefined): string {
  const {ours, peer, ratio, spread} = verdictOf(measure)
  const isNext = before?.name === measure.name
  const isCompared = measure.peerName === '' || measure.peer.length > 0
  const first = isNext ? ['', ''] : [measure.name, ours]
  return `| ${[...first, measure.peerName, peer, ratio, isCompared ? spread : ''].join(' | ')} |`
}

const NOT_COMPARED = `## Limits

- Load, apps and tools share the cores of one machine and its loopback. No figure tells of a network.
- daprd runs without mTLS here, and Pillion has no second sidecar. In production Dapr encrypts these calls.
- nginx passes requests on: it knows nothing of starting apps, policies or records. Supervisors start programs and show their
  lines. A ratio tells the cost of the difference.
- A peer that could not be fetched says so in its row.
- Calls carry 13 bytes. With larger bodies all ratios come closer to 1.
`
