// `npm run docs`: draws workflows-light.png and workflows-dark.png from a run of examples/workflow-order.
import {execFileSync} from 'node:child_process'
import {globSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Browser} from 'playwright-core'
import {draw, withRun} from './run-picture.ts'

const SIZE = {width: 1000, height: 530}
const EXAMPLE = join(import.meta.dirname, '../examples/workflow-order')
/** Orders by id. Grace cannot pay; the last one waits for its approval. */
const ORDERS = {
  'o-16': {customer: 'Ada', item: 'pen', count: 2, price: 6},
  'o-17': {customer: 'Ada', item: 'ink', count: 1, price: 9},
  'o-18': {customer: 'Grace', item: 'pen', count: 2, price: 6},
  'o-19': {customer: 'Ada', item: 'pen', count: 5, price: 15}
}

/** Draws the pictures into a folder. Installs the SDK of Dapr, which the example needs. */
export async function drawWorkflows(folder: string, browser: Browser): Promise<void> {
  const paths = globSync(['dapr.yaml', 'package.json', '*/*.mjs'], {cwd: EXAMPLE})
  const files = Object.fromEntries(paths.map(path => [path, readFileSync(join(EXAMPLE, path), 'utf8')]))
  const install = (cwd: string): void => void execFileSync('npm', ['install', '--no-audit', '--no-fund'], {cwd})
  await withRun(
    'workflow-order',
    files,
    async ({url, pillion}) => {
      for (const [id, input] of Object.entries(ORDERS))
        pillion('workflow', 'run', 'order', '-a', 'orders', '-i', id, '-x', JSON.stringify(input))
      for (const id of ['o-16', 'o-17']) pillion('workflow', 'raise-event', `${id}/approved`, '-a', 'orders')
      await draw(browser, {
        file: join(folder, 'workflows'),
        size: SIZE,
        url,
        hash: '#/workflows/orders/o-19',
        settled: async page => {
          await page.getByText('timer').first().waitFor()
          await page.getByText(/^began .* so far (?:[5-9]|\d\d)(?:\.\d)? s/).waitFor()
          return page
        }
      })
    },
    install
  )
}
