import type {Measure} from '../figure.ts'
import {GOALS} from '../goals.ts'
import {verdictOf} from '../table.ts'
import {chart} from './chart.ts'
import type {Results, Taken} from './results.ts'
import {SECTIONS, type Section} from './sections.ts'

/** What is written from the results: names in `docs/`, and texts. */
export const pages = (results: Results): Readonly<Record<string, string>> => ({
  'performance.md': page(results),
  'performance.svg': chart(results)
})

const page = (results: Results): string =>
  [
    '# Performance\n',
    '<!-- written by `npm run bench -- --write` from performance.json -->\n',
    INTRODUCTION,
    ...(Object.values(results).some(({isShort}) => isShort) ? [PROVISIONAL] : []),
    '<img src="performance.svg" alt="Pillion compared with other tools: the numbers are in the tables below">\n',
    missed(results),
    ...SECTIONS.filter(({figures}) => figures.some(([name]) => results[name] !== undefined)).map(each =>
      section(each, results)
    ),
    howTaken(results),
    NOT_COMPARED
  ].join('\n')

const PROVISIONAL =
  '**Provisional:** figures that are marked below come from short rounds. They show that they work, not where they stand.\n'

const INTRODUCTION = `This page is written by \`npm run bench -- --write\`, all of it, from stored results: nobody edits it by hand.

How fast Pillion is, and what it takes, next to tools that do a part of the same, on one machine. Each table is
one figure: all that it compares was measured in the same run, in turn (A, B, A, B …). Shown are medians; the ratio is
Pillion's divided by the other's, round by round, then its median, and behind it the smallest and the largest of a round.

Pillion runs as it is delivered: Dapr's headers on every call, the recorder, metrics and log files are on. A round in
which a call failed, a header was missing or a line was lost does not count: the figure fails.
`

/** Every goal that is missed, and what was reached. */
function missed(results: Results): string {
  const judged = new Map<string, Measure>()
  for (const each of Object.values(results).flatMap(({measures}) => measures)) {
    const {goal, isMet} = verdictOf(each)
    if (isMet !== undefined) judged.set(isOfPeer(goal) ? `${each.name} ${each.peerName}` : each.name, each)
  }
  const rows = [...judged.values()].filter(each => verdictOf(each).isMet === false)
  const list = rows.map(each => {
    const {ours, ratio, goal} = verdictOf(each)
    const account = GOALS[each.name]?.account ?? ''
    const reached = isOfPeer(goal) ? `${ratio} ${each.peerName}` : ours
    return `- **${each.name}**: ${reached}, the goal is ${goal}${account === '' ? '' : `. ${account}`}`
  })
  const text = list.length === 0 ? 'None.' : list.join('\n')
  return `## Goals that are missed\n\n${text}\n\n${rows.length} of ${judged.size} goals.\n`
}

/** Others are told in the unit of the measure. */
const isOfPeer = (goal: string): boolean => goal.endsWith('×') || goal.endsWith('more')

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)]

const section = ({title, figures}: Section, results: Results): string =>
  [
    `## ${title}\n`,
    ...figures.flatMap(([name, what]) => {
      const taken = results[name]
      return taken === undefined ? [] : [`${what}\n`, table(taken.measures), '']
    })
  ].join('\n')

const HEAD = '| | Pillion | compared with | its | ratio | min–max | goal |\n|---|--:|---|--:|--:|--:|---|'

const table = (measures: readonly Measure[]): string =>
  [
    HEAD,
    ...[...Map.groupBy(measures, ({name}) => name).values()].flatMap(group =>
      group.map((each, at) => row(each, group[at - 1]))
    )
  ].join('\n')

/** The name and the own number stand in the first row of a measure only. */
function row(measure: Measure, before: Measure | undefined): string {
  const {ours, peer, ratio, spread, goal, isMet} = verdictOf(measure)
  const isNext = before?.name === measure.name
  const isCompared = measure.peerName === '' || measure.peer.length > 0
  const met = isMet === undefined ? goal : `${goal}${isMet ? ' ✓' : ' **missed**'}`
  const cells = [
    isNext ? '' : measure.name,
    isNext ? '' : ours,
    measure.peerName,
    peer,
    ratio,
    isCompared ? spread : '',
    (isNext && !isOfPeer(goal)) || !isCompared ? '' : met
  ]
  return `| ${cells.join(' | ')} |`
}

/** The command of each figure, when it was taken, by what and where. */
function howTaken(results: Results): string {
  const all = Object.entries(results)
  const machines = unique(all.map(([, {machine}]) => machine))
  const of = ({date, isShort, machine, measures}: Taken): string => {
    const rounds = Math.max(...measures.map(({ours}) => ours.length)).toString()
    const where = machines.length > 1 ? ` | ${machines.indexOf(machine) + 1}` : ''
    return `${date} | ${rounds}${isShort ? ' (short: provisional)' : ''}${where}`
  }
  const rows = SECTIONS.flatMap(({figures}) => figures).flatMap(([name]) => {
    const taken = results[name]
    return taken === undefined ? [] : [`| \`npm run bench -- --write ${name}\` | ${of(taken)} |`]
  })
  const where = machines.length > 1 ? ' machine |' : ''
  return [
    '## Where and when\n',
    machines.length === 1
      ? `Machine: ${machines[0] ?? ''}.\n`
      : `${machines.map((each, n) => `${n + 1}. ${each}`).join('\n')}\n`,
    `Versions: ${versions(all.map(([, taken]) => taken))}.\n`,
    'All that take a quarter of an hour together: `npm run bench -- --write`. One of them:\n',
    `| command | taken | rounds |${where}\n|---|---|---|${where === '' ? '' : '--:|'}`,
    ...rows,
    ''
  ].join('\n')
}

/** Each with all versions that took part in a figure. */
function versions(all: readonly Taken[]): string {
  const found = new Map<string, Set<string>>()
  for (const taken of all)
    for (const [name, version] of Object.entries(taken.versions))
      found.set(name, (found.get(name) ?? new Set()).add(version))
  return [...found].map(([name, set]) => `${name} ${[...set].join(' and ')}`).join(' · ')
}

const NOT_COMPARED = `## What is not compared

- **One machine.** All runs on the loopback of one machine, load and apps included: they share the cores with what is
  measured. No figure says anything about a network, or about several machines.
- **No mTLS.** Calls between two sidecars of Dapr are encrypted in production. Here none is: Pillion has no second sidecar,
  and the daprd of these figures run without mTLS, too.
- **Different tasks.** nginx passes a request on; it knows nothing of apps that start, of policies or of records. The
  supervisors start programs and show their lines; calls go past them. A ratio tells what the difference costs, not who is better.
- **Not here.** What is neither on the machine nor could be fetched says so in its row. Its number is not guessed. For Dapr's
  own command line that means: it must be on the PATH.
- **Small answers.** The calls carry 13 bytes. Larger bodies cost everybody more, and the ratios come closer to 1.
`
