import {launch} from '../../browser/browser.ts'
import {walkSeeds, type Seeds} from '../seeds.ts'
import {walkPage} from './walk.ts'

export async function walkPages(seeds: Seeds): Promise<void> {
  const browser = await launch()
  await walkSeeds(seeds, 'page', async one => {
    const walk = await walkPage(browser, one)
    await Promise.all(browser.contexts().map(async context => context.close()))
    return walk
  })
  await browser.close()
}
