import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'

const FOLDER = join(import.meta.dirname, '../../../page/style')

/** Pixels that distances, sizes of type and rounded corners may have. */
const SCALES: Readonly<Record<string, readonly number[]>> = {
  'gap|padding[a-z-]*|margin[a-z-]*': [0, 2, 4, 8, 12, 16, 24, 32, 48, 52, 64, 80, 96],
  'font-size': [12, 13, 15, 20],
  'border-radius': [2, 4, 8, 12]
}

t.test('the style of the page has one scale of space, type and corners', t => {
  for (const name of readdirSync(FOLDER)) {
    const text = readFileSync(join(FOLDER, name), 'utf8')
    for (const [properties, scale] of Object.entries(SCALES))
      for (const [rule, , value = ''] of text.matchAll(new RegExp(`(?<=\\s)(${properties}): ([^;]*)`, 'g')))
        for (const [, pixels] of value.matchAll(/(\d+(?:\.\d+)?)px/g))
          t.ok(scale.includes(Number(pixels)), `${name}: ${rule}`)
  }
  t.end()
})
