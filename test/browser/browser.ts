/** A browser for one test file: the one at CHROMIUM, the system's, or the one that npm brings. */
import {existsSync} from 'node:fs'
import {mkdir, mkdtemp, rename, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {chromium, type Browser, type Page} from 'playwright-core'
import axe, {type AxeResults} from 'axe-core'
import {isAlone, limitAlone} from '../rig/limit.ts'
import {missing} from '../rig/missing.ts'

await limitAlone()

/** What is needed of tap's test. */
interface Test {
  pass(why: string, extra: {readonly skip: string}): boolean
}

const CACHE = join(import.meta.dirname, '../../node_modules/.cache')

async function executable(): Promise<string> {
  const named = process.env['CHROMIUM']
  if (named !== undefined) return named
  const ours = '/usr/bin/chromium'
  return existsSync(ours) ? ours : unpacked()
}

/** That of `@sparticuz/chromium`, unpacked once, and moved to its place in one step: test files run side by side. */
async function unpacked(): Promise<string> {
  const place = join(CACHE, 'chromium')
  if (existsSync(place)) return join(place, 'chromium')
  await mkdir(CACHE, {recursive: true})
  const made = await mkdtemp(join(CACHE, 'unpacking-'))
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = made
  const {default: packed} = await import('@sparticuz/chromium')
  await packed.executablePath()
  if (before === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = before
  await rename(made, place).catch(async () => rm(made, {recursive: true}))
  return join(place, 'chromium')
}

export const launch = async (
  more: readonly string[] = [],
  env: Readonly<Record<string, string>> = {}
): Promise<Browser> =>
  chromium.launch({
    env: {...process.env, ...env},
    executablePath: await executable(),
    args: ['--no-sandbox', '--disable-gpu', '--headless=shell', ...more]
  })

/** Stays for the next file of this process, unless a file has flags of its own or runs alone. */
let kept: Browser | undefined

/** Where no browser starts, the file is skipped, and says so. Its pages are closed at the end. */
export async function withBrowser(
  test: Test,
  body: (browser: Browser) => Promise<void>,
  flags: readonly string[] = []
): Promise<void> {
  const isShared = flags.length === 0 && !isAlone()
  let browser: Browser
  try {
    browser = isShared && kept?.isConnected() ? kept : await launch(flags)
  } catch (error) {
    const why = `no browser starts here: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`
    test.pass('without a browser', {skip: missing(why)})
    return
  }
  if (isShared) kept = browser
  try {
    await body(browser)
  } finally {
    if (isShared) await Promise.all(browser.contexts().map(async context => context.close()))
    else await browser.close()
  }
}

export interface Opened {
  readonly page: Page
  /** What the page has told its console, and errors that nobody caught. */
  readonly troubles: string[]
}

export async function open(
  browser: Browser,
  url: string,
  theme: 'light' | 'dark' = 'light',
  size = {width: 1100, height: 700}
): Promise<Opened> {
  const page = await browser.newPage({viewport: size, colorScheme: theme})
  const troubles: string[] = []
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) troubles.push(message.text())
  })
  page.on('pageerror', error => troubles.push(error.stack ?? error.message))
  await page.goto(url)
  return {page, troubles}
}

/** Opens a view by its link in the header, which stands under *More* until the run has what the view is about. */
export async function toView(page: Page, name: string): Promise<void> {
  const header = page.getByRole('navigation')
  await header.getByRole('link', {name: 'Apps'}).waitFor()
  if ((await header.getByRole('link', {name}).count()) === 0) await header.getByRole('button', {name: 'More'}).click()
  await header.getByRole('link', {name}).click()
}

/** What axe-core finds on a page: rules of WCAG 2.2 A and AA, and the places that break them. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source)
  const found: AxeResults = await page.evaluate(
    `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})`
  )
  return found.violations.flatMap(({id, nodes}) =>
    nodes.map(({html, any}) => `${id}: ${html} ${any[0]?.message ?? ''}`)
  )
}

/** Waits for two frames, after which the browser has laid out what `content-visibility: auto` skipped until then. */
export async function laidOut(page: Page): Promise<void> {
  await page.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')
}
