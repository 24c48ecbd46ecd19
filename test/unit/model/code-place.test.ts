import t from 'tap'
import {codePlace, withoutNativeStack} from '../../../src/model/code-place.ts'

const PLACES: readonly (readonly [runtime: string, lines: string, place: string])[] = [
  [
    'Node',
    `file:///shop/svc.mjs:10
  return order.cents
               ^

TypeError: Cannot read properties of undefined (reading 'cents')
    at money (file:///shop/node_modules/money/index.js:3:12)
    at charge (file:///shop/svc.mjs:10:16)
    at process.processTicksAndRejections (node:internal/process/task_queues:103:5)`,
    'svc.mjs:10'
  ],
  [
    'Python of pyenv or uv',
    `  File "/shop/app.py", line 7, in charge
  File "/home/me/.pyenv/versions/3.12.1/lib/python3.12/json/decoder.py", line 355, in raw_decode`,
    'app.py:7'
  ],
  [
    'Go, in what it has downloaded',
    'panic: no\n\ngin.H()\n\t/home/me/go/pkg/mod/github.com/gin/gin.go:7 +0x1d\nmain.main()\n\t/shop/main.go:20 +0x1d',
    'main.go:20'
  ],
  ['Node, in a folder with a blank', 'Error: no\n    at Object.<anonymous> (/shop/a b/svc.js:10:5)', 'a b/svc.js:10'],
  ['Node, before its stack', '/shop/a b/svc.js:10\nthrow new Error()', 'a b/svc.js:10'],
  ['Go, in a folder with a blank', 'panic: no\n\nmain.main()\n\t/shop/a b/main.go:20 +0x1d', 'a b/main.go:20'],
  [
    'Java, thrown in its library',
    `Exception in thread "main" java.lang.NumberFormatException: For input string: "x"
\tat java.base/java.lang.NumberFormatException.forInputString(NumberFormatException.java:67)
\tat java.base/java.lang.Integer.parseInt(Integer.java:661)
\tat org.springframework.util.Assert.isTrue(Assert.java:9)
\tat com.acme.Main.main(Main.java:5)`,
    'Main.java:5'
  ],
  ['a class of the app', '    at System.run (/shop/system.js:3:1)', 'system.js:3'],
  ['Node, without a name', '    at file:///shop/a%20b/main.ts:3:1', 'a b/main.ts:3'],
  [
    'Python',
    `Traceback (most recent call last):
  File "/usr/lib/python3.11/runpy.py", line 9, in run
  File "/shop/app.py", line 7, in <module>
    charge()
  File "/shop/cards.py", line 3, in charge
ValueError: no card`,
    'cards.py:3'
  ],
  [
    'Go',
    'panic: no card\n\ngoroutine 1 [running]:\nmain.charge(...)\n\t/shop/main.go:12\nmain.main()\n\t/shop/main.go:20 +0x1d',
    'main.go:12'
  ],
  ['Java', 'Exception in thread "main" x.NoCard\n\tat shop.Cards.charge(Cards.java:31)', 'Cards.java:31'],
  ['.NET', 'Unhandled exception. NoCard\n   at Cards.Charge() in /shop/Cards.cs:line 31', 'Cards.cs:31'],
  ['a parser', 'file:///shop/svc.mjs:4\nconst = 1\n      ^\nSyntaxError: Unexpected token', 'svc.mjs:4'],
  ['elsewhere', 'Error: x\n    at load (file:///lib/own.mjs:2:1)', '/lib/own.mjs:2'],
  ['Node that aborts', '2: emit (node:events:514:20)\n3: charge (/shop/svc.mjs:10:16)', 'svc.mjs:10'],
  ['Node that aborts, without a name', '1: file:///shop/svc.mjs:2:143\n2: emit (node:events:514:20)', 'svc.mjs:2'],
  ['none', 'out of cards', '']
]

t.test('where code has failed, as runtimes write it', async t => {
  for (const [runtime, lines, place] of PLACES) t.equal(codePlace(lines.split('\n'), '/shop'), place, runtime)
})

t.test('frames of C++ leave what was written before them, and the stack of the code', async t => {
  const aborted = `----- Native stack trace -----

 1: 0x840e50  [node]
 2: 0x8410bd node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]
 3: 0x7fd523dcfae9 

----- JavaScript stack trace -----

1: file:///shop/orders.mjs:2:143
2: emit (node:events:514:20)
`.split('\n')
  t.same(withoutNativeStack(['FATAL ERROR: out of memory', ...aborted]), [
    'FATAL ERROR: out of memory',
    '----- JavaScript stack trace -----',
    '',
    '1: file:///shop/orders.mjs:2:143',
    '2: emit (node:events:514:20)',
    ''
  ])
  t.same(withoutNativeStack(['', '1: of 3 orders', '']), ['', '1: of 3 orders', ''])
})
