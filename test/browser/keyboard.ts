import type {Page} from 'playwright-core'

/** Presses keys, one after the other. */
export const press = async (page: Page, ...all: readonly string[]): Promise<void> => {
  for (const key of all) await page.keyboard.press(key)
}

/** The row that keys go on at. */
export const active = async (page: Page): Promise<string> =>
  page.evaluate<string>("document.querySelector('[role=grid]:focus .row.active')?.textContent ?? ''")

/** What has the focus: its name, and its text. */
export const focused = async (page: Page): Promise<string> =>
  page.evaluate<string>(
    "((at) => `${at?.getAttribute('aria-label') ?? at?.labels?.[0]?.textContent ?? ''} ${at?.textContent ?? ''}`.trim())(document.activeElement)"
  )

/** Tab (or `key`), until what has the focus is named so; false: nothing is. */
export async function tabTo(page: Page, name: RegExp, key = 'Tab'): Promise<boolean> {
  for (let n = 0; n < 60; n++) {
    await press(page, key)
    if (name.test(await focused(page))) return true
  }
  return false
}

/** The view, or its table, has the focus: what had it is gone. */
export const focusIsBack = async (page: Page): Promise<void> => page.locator('main:focus, [role=grid]:focus').waitFor()
