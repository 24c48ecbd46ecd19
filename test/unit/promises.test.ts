import t from 'tap'
import {textOf} from '../rig/page.ts'
import {lacking} from '../rig/test-titles.ts'

/** Pages whose statements are tested: each ends with the list of its promises, a comment. */
const PROMISING = `README.md docs/two-minutes.md docs/from-a-procfile.md docs/from-compose.md docs/coming-from-dapr.md
  docs/workflows-and-agents.md docs/for-a-team.md docs/reload.md docs/troubleshooting.md docs/recorder.md docs/replay.md
  docs/spans.md docs/side-by-side.md docs/in-ci.md docs/wait.md docs/security.md docs/workflows.md docs/actors.md
  docs/building-blocks.md docs/faults.md docs/dashboard.md docs/past-one-machine.md docs/jobs.md docs/conversation.md
  docs/cryptography.md docs/grpc.md docs/environment.md docs/coding-agents.md docs/coming-from-daeploy.md docs/daily.md
  docs/databases-and-one-shot-apps.md docs/debugging.md docs/front-ends.md docs/languages.md docs/monorepo.md
  docs/releasing.md docs/terminal.md docs/lazy.md docs/names.md docs/variants.md`.split(/\s+/)

interface Promised {
  /** Words that stand on the page. */
  readonly words: string
  /** Paths of tests, each with its titles. */
  readonly tests: readonly (readonly [path: string, titles: string])[]
}

/** The lines of the comment: `words of the page = path: title · title, and path: title`. */
function promisesOf(text: string): readonly Promised[] {
  const [, list = ''] = /^<!-- promises\n(.*?)^-->$/ms.exec(text) ?? []
  return list
    .split('\n')
    .filter(Boolean)
    .map(line => {
      const [words = '', tests = ''] = line.split(' = ')
      return {
        words,
        tests: tests.split(/, and (?=\w+\/)/).map(test => {
          const [path = '', ...titles] = test.split(': ')
          return [path, titles.join(': ')] as const
        })
      }
    })
}

const withoutComments = (text: string): string => text.replaceAll(/<!--.*?-->/gs, '')
/** As it is read: without marks of links and emphasis, in one line. */
const plain = (text: string): string =>
  withoutComments(text)
    .replaceAll(/\]\([^)]*\)|[[\]*]/g, '')
    .replaceAll(/\s+/g, ' ')

/** What is wrong with the promises of a page. */
function brokenIn(text: string): readonly string[] {
  const read = plain(text)
  return promisesOf(text).flatMap(({words, tests}) => [
    ...(read.includes(words) ? [] : [`the page does not say: ${words}`]),
    ...tests.flatMap(([path, titles]) => lacking(path, titles).map(title => `${words}: ${path} has no test: ${title}`))
  ])
}

/** List items that begin with a statement in bold: each is promised. */
const statementsOf = (text: string): readonly string[] =>
  [...withoutComments(text).matchAll(/^- \*\*(.*?)\*\*/gm)].map(([, statement = '']) => plain(statement))

for (const page of PROMISING)
  t.test(`what ${page} promises is on it, and has its test`, async t => {
    const text = textOf(page)
    t.ok(promisesOf(text).length > 3)
    t.same(brokenIn(text), [])
  })

t.test('each of the five things of the README has a promise, and what a team can rely on', async t => {
  for (const page of ['README.md', 'docs/for-a-team.md']) {
    const text = textOf(page)
    const promised = promisesOf(text).map(({words}) => words)
    t.same(
      statementsOf(text).filter(each => !promised.some(words => each.includes(words) || words.includes(each))),
      [],
      page
    )
  }
})

const page = (list: string): string => `A *save* loses\nno call.\n\n<!-- promises\n${list}\n-->\n`

t.test('the check finds words that are gone, and a test', async t => {
  t.same(brokenIn(page('A save loses no call = unit/promises: the check finds words that are gone')), [])
  t.same(brokenIn(page('A save loses a call = unit/promises')), ['the page does not say: A save loses a call'])
  t.same(brokenIn(page('A save = unit/gone: x')), ['A save: unit/gone has no test: no such file'])
  t.same(brokenIn(page('A save = unit/links: links are relative, and unit/links: links are round')), [
    'A save: unit/links has no test: links are round'
  ])
})
