import {setTimeout as pause} from 'node:timers/promises'
import type {Browser, Locator} from 'playwright-core'
import {open, violations, type Opened} from '../../browser/browser.ts'
import type {Random} from '../../fuzz/random.ts'
import type {Shown} from './house.ts'

const CONTROLS = [
  'button:enabled',
  'a[href^="#"]',
  '[role=row]:not(.head)',
  'summary',
  'input[type=checkbox]:enabled',
  'input[type=radio]:enabled',
  '[role=tab]'
].join(', ')
const FIELDS = 'input:not([type=checkbox]):not([type=radio]):enabled, textarea:enabled'
const KEYS = [
  '? / p j k Escape Enter Tab Shift+Tab ArrowDown ArrowUp Home End Space'.split(' '),
  ['a', 'c', 'g', 'l', 'w', 'r', 'f', 't'].map(view => `g ${view}`)
].flat()
const WORDS = ['cart', 'ready', '200', '>1ms', '/x', '<b>', '[', '50%', '-1', '99999999999', '\u202e', '']
const SIZES = [
  {width: 1100, height: 700},
  {width: 400, height: 700},
  {width: 1800, height: 1000}
] as const

/** The states and names in the table of apps. */
const ROWS = `[...document.querySelectorAll('[role=grid][aria-label=Apps] .rows [role=row]')].map(row =>
  [...row.querySelectorAll('[role=gridcell]')].slice(0, 2).map(cell => cell.querySelector('.status')?.title ?? cell.textContent.trim()))`
/** What the page says of an app (docs/states.md), by its state; of several that fit the first counts. */
const STATES: readonly (readonly [text: RegExp, state: string])[] = [
  [/keeps exiting/, 'loop'],
  [/waits for a save|restarting/, 'backoff'],
  [/exited|ended by/, 'exited'],
  [/waits for|not started/, 'waiting'],
  [/in debugger/, 'debugging'],
  ...['not ready', 'stopping', 'starting', 'ready', 'stopped'].map(word => [new RegExp(word), word] as const)
]

const wordOf = (text: string): string => STATES.find(([said]) => said.test(text))?.[1] ?? text

/** What the browser says where a run is not there, or refuses what cannot be done any more: the page tells its user. */
const EXPECTED = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|status of 4\d\d/
const PATIENCE_MS = 10_000
const CLICK_MS = 2000

/** Somebody who clicks and types anywhere on the page of a run; the seed decides where. */
export class Visitor {
  readonly told: string[] = []
  readonly #opened: Opened
  readonly #random: Random
  /** Of the page, without a view. */
  readonly #address: string

  static async of(browser: Browser, url: string, random: Random): Promise<Visitor> {
    const opened = await open(browser, url, random.pick(['light', 'dark']))
    await opened.page.getByRole('grid', {name: 'Apps'}).waitFor()
    return new Visitor(opened, random)
  }

  constructor(opened: Opened, random: Random) {
    this.#opened = opened
    this.#random = random
    this.#address = new URL('/', opened.page.url()).href
    opened.page.on('dialog', dialog => void dialog.dismiss())
  }

  /** Does something on the page; gives what it was. */
  async act(): Promise<string> {
    const {page} = this.#opened
    const random = this.#random
    const ways: readonly (() => Promise<string>)[] = [
      ...Array.from({length: 6}, () => async () => this.#click()),
      async () => this.#type(),
      async () => this.#press(),
      async () => this.#press(),
      async () => this.#choose(),
      async () => this.#back(),
      async () => page.reload().then(() => 'reload'),
      async () => page.setViewportSize(random.pick(SIZES)).then(() => 'resize')
    ]
    const done = await random
      .pick(ways)()
      .catch((error: unknown) => {
        // what it meant to click has gone in the meantime
        if (error instanceof Error && /Timeout|not visible|detached|intercepts/.test(error.message)) return '(gone)'
        throw error
      })
    this.told.push(done)
    return done
  }

  /** What is wrong with the page now, whose run has come to rest with these apps. */
  async faults(apps: readonly Shown[]): Promise<readonly string[]> {
    const {page, troubles} = this.#opened
    // one who finds no run opens the page again
    if (!page.url().startsWith(this.#address)) await page.goto(this.#address)
    const told = troubles.splice(0).filter(text => !EXPECTED.test(text))
    const axe = await violations(page)
    const isBlank = (await page.getByRole('main').innerText()).trim() === ''
    return [
      ...told.map(text => `the console: ${text}`),
      ...axe.map(text => `axe: ${text}`),
      ...(isBlank ? ['the view is blank'] : []),
      ...(await this.#wrongApps(apps))
    ]
  }

  /** The table of apps shows those of the run, soon. */
  async #wrongApps(apps: readonly Shown[]): Promise<readonly string[]> {
    const {page} = this.#opened
    await page.keyboard.press('Escape')
    const address = page.url()
    await page.setViewportSize(SIZES[0])
    await page.evaluate("location.hash = '#/apps'")
    const wanted = apps.map(({name, word}) => `${name} ${word}`).join(', ')
    let seen = ''
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(100)) {
      seen = await this.#apps()
      if (seen === wanted) break
    }
    await page.goto(address)
    return seen === wanted ? [] : [`the page shows ${seen}, and there are ${wanted}`]
  }

  async #apps(): Promise<string> {
    const rows = await this.#opened.page.evaluate<readonly (readonly [name: string, state: string])[]>(ROWS)
    return rows
      .map(([name, state]) => `${name} ${wordOf(state)}`)
      .toSorted()
      .join(', ')
  }

  async #click(): Promise<string> {
    return this.#with(CONTROLS, async control => {
      const text =
        ((await control.textContent({timeout: CLICK_MS})) || (await control.getAttribute('aria-label'))) ?? ''
      await control.click({timeout: CLICK_MS})
      return `click "${text.slice(0, 40).replaceAll(/\s+/g, ' ')}"`
    })
  }

  async #type(): Promise<string> {
    return this.#with(FIELDS, async field => {
      const word = this.#random.pick(WORDS)
      await field.fill(word, {timeout: CLICK_MS})
      if (this.#random.oneIn(2)) await field.press('Enter', {timeout: CLICK_MS})
      return `type "${word}"`
    })
  }

  async #choose(): Promise<string> {
    return this.#with('select:enabled', async select => {
      const count = await select.locator('option').count()
      const index = this.#random.below(count)
      await select.selectOption({index}, {timeout: CLICK_MS})
      return `choose the option ${index}`
    })
  }

  /** Not beyond the first address of the page. */
  async #back(): Promise<string> {
    const {page} = this.#opened
    const before = page.url()
    await page.goBack({timeout: CLICK_MS})
    if (!page.url().startsWith(this.#address)) await page.goto(before)
    return 'back'
  }

  async #press(): Promise<string> {
    const keys = this.#random.pick(KEYS)
    for (const key of keys.split(' ')) await this.#opened.page.keyboard.press(key)
    return `press ${keys}`
  }

  /** One of those that can be seen; in a dialog where one is open. */
  async #with(selector: string, act: (control: Locator) => Promise<string>): Promise<string> {
    const {page} = this.#opened
    const dialog = page.locator('dialog[open]')
    const all = ((await dialog.count()) > 0 ? dialog : page.locator('body')).locator(selector).filter({visible: true})
    const count = await all.count()
    return count === 0 ? '(nothing there)' : act(all.nth(this.#random.below(count)))
  }
}
