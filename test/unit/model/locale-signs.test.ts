import t from 'tap'
import {inLocale} from '../../../src/model/locale-signs.ts'

t.test('a terminal whose locale is not UTF-8 gets signs of ASCII that are as wide; names stay', async t => {
  const text = '✕ payments → naïve ██ 5 µs …'
  t.equal(inLocale(text, {LANG: 'C'}), 'x payments > naïve ## 5 us ~')
  t.equal(inLocale(text, {LANG: 'en_US.UTF-8', LC_ALL: 'POSIX'}), 'x payments > naïve ## 5 us ~')
  for (const env of [{}, {LANG: 'C.UTF-8'}, {LANG: 'C', LC_CTYPE: 'en_GB.utf8'}]) t.equal(inLocale(text, env), text)
})
