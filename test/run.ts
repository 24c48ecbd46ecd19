/**
 * Runs the tests. `npm test`: what each change must pass. `npm test -- FILE…`: these. `npm run test:all`: all of them;
 * `npm run test:all -- PART…`: parts of the table in `runner/parts.ts`. `--prepare`: gets what the parts need, while other tests run.
 * With PILLION_TEST_COUNTS the counts are added to that file.
 */
import {appendFileSync, existsSync, globSync} from 'node:fs'
import {availableParallelism} from 'node:os'
import {runChecks, runCommand, type Checked} from './runner/checks.ts'
import {install} from './runner/needs.ts'
import {PARTS, QUICK, type Part} from './runner/parts.ts'
import {runFiles} from './runner/pool.ts'
import {Report} from './runner/report.ts'

/** Tests wait for their programs part of the time: three jobs more than cores keep these busy. */
const JOBS = availableParallelism() + 3

const inCi = process.env['CI'] === 'true'
/** Where counts are added up, for `.ci/run`. */
const counts = process.env['PILLION_TEST_COUNTS']

const isTest = (path: string): boolean => path.endsWith('.test.ts')

/** Files are given by path; a folder stands for those below it that were not given before it. */
function filesOf(paths: readonly string[], except: readonly string[] = []): readonly string[] {
  const files = paths.flatMap(path => (isTest(path) ? [path] : globSync(`${path}/**/*.test.ts`).toSorted()))
  const lost = [...files, ...paths, ...except].find(path => !existsSync(path))
  if (lost !== undefined) throw new Error(`no such test: ${lost}`)
  return [...new Set(files)].filter(file => !except.includes(file))
}

async function must(words: readonly string[]): Promise<void> {
  const {passed, text} = await runCommand(words)
  if (!passed) throw new Error(`${words.join(' ')} failed:\n${text}`)
}

interface Work {
  readonly name: string
  readonly files: readonly string[]
  readonly part?: Part
  readonly checks?: () => Promise<readonly Checked[]>
}

/** False: something has failed. */
async function run({name, files, part, checks}: Work): Promise<boolean> {
  const jobs = part?.jobs ?? JOBS
  const many = `${files.length} files in ${jobs} processes`
  const time = part === undefined ? '' : `, about ${part.minutes} minutes on two quiet cores`
  console.log(`${name}: ${many}${time}`)
  const mayLack = part === undefined || part === QUICK || !inCi
  if (!mayLack) await install(part.needs ?? [])
  for (const words of [...(part?.builds ?? []), ...(part?.before ?? [])]) await must(words)
  const report = new Report(files.length)
  const [checked = []] = await Promise.all([
    checks?.(),
    runFiles(files, {jobs, env: part?.env ?? {}, told: result => report.add(result)})
  ])
  // a build machine is not to be held up by a race, which is named
  if (inCi || counts !== undefined)
    await runFiles(report.failed(), {jobs: 1, env: part?.env ?? {}, told: result => report.again(result)})
  report.end('npm test --')
  const missing = mayLack ? [] : report.missing()
  if (missing.length > 0) console.log(`FAIL on a build machine nothing may be missing: ${missing.join(', ')}`)
  const bad = checked.filter(({passed}) => !passed)
  for (const {name: check} of bad) console.log(`FAIL ${check}`)
  const count = report.count()
  const failed = count.failed + missing.length + bad.length
  if (counts !== undefined) appendFileSync(counts, `${count.passed} ${failed}\n`)
  console.log(`${count.passed} passed, ${failed} failed`)
  return failed === 0
}

async function main(args: readonly string[]): Promise<boolean> {
  const [first, ...names] = args
  if (first === '--parts') {
    console.log(Object.keys(PARTS).join('\n'))
    return true
  }
  if (first === '--prepare') {
    const parts = Object.values(PARTS)
    if (inCi) await install(parts.flatMap(({needs = []}) => needs))
    // a part runs its own again: what fails is told there
    for (const words of parts.flatMap(({builds = []}) => builds)) await runCommand(['nice', ...words])
    return true
  }
  // tap builds itself without the plugins that we do not use; who only runs an example does not wait for it
  if (!existsSync('.tap/plugins')) await must(['tap', 'build'])
  if (first === '--built') return run({name: 'npm test', files: filesOf(names)})
  await must(['npm', 'run', '--silent', 'build'])
  const quick = {
    name: `npm test (${QUICK.what})`,
    files: filesOf(QUICK.tests, QUICK.except),
    part: QUICK,
    checks: runChecks
  }
  if (first === undefined) return run(quick)
  if (first !== '--all') return run({name: 'npm test', files: filesOf(args)})
  let passed = names.length > 0 || (await run(quick))
  for (const name of names.length > 0 ? names : Object.keys(PARTS)) {
    const part = PARTS[name]
    if (part === undefined) throw new Error(`no such part: ${name}; there are ${Object.keys(PARTS).join(', ')}`)
    const work = {name: `${name} (${part.what})`, files: filesOf(part.tests), part}
    passed = (await run(work)) && passed
  }
  return passed
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
