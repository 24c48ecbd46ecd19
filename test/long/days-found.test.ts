/** Days that found something once: `test/integration/days.test.ts` makes others. */
import t from 'tap'
import {days} from '../rig/days.ts'
import {limitAlone} from '../rig/limit.ts'

await limitAlone()

/** Each with its seed. */
const FOUND = {
  'an edit that is taken back before it is noticed starts nothing that has ended': [
    '4',
    'add 3 1, add 1 1, crash 1 1 …, edit dependencies 1 1 …, remove 2 1'
  ],
  'a save that comes while an instance fails with the change before it is for all instances': [
    '646',
    'add 391 576 …, add 971 369, remove 82 450 …, remove 392 454, add 171 1, add 812 322, add 305 939, remove 355 463, add 299 94 …, remove 24 904 …, crash 196 349 …, reorder 929 511, save bad code 157 2, edit replicas 62 99, edit common 162 303 …, save 737 689'
  ],
  'a crash that is noticed after `start` is told as it was': ['894', 'crash 885 990 …, start 75 294'],
  'a sidecar that an edit adds may come after `stop`': ['994', 'add 994 544 …, stop 196 31'],
  'an instance that crashes in its turn leaves the others as they were': [
    '934',
    'reorder 868 340, add 302 580 …, add 440 360, add 453 574, reorder 676 246, remove 863 17, reorder 758 695 …, edit replicas 83 791, stop 894 51, save bad code 923 883 …, restart 376 559, add 750 995, save 717 251 …, crash 278 713'
  ],
  'an app that an edit opens while the run ends is closed, too': [
    '743',
    'remove 377 701, rename 28 532, reorder 629 313, add 842 510, edit replicas 938 517 …, add 58 699, reorder 46 757, add 83 434 …, reorder 912 897 …, save bad code 256 765, edit dependencies 683 521 …, kill and up 256 551 …'
  ],
  'another instance of an app that `--except` has left to the user, who has asked for it since, is started': [
    '20075',
    'add 484 584 …, add 590 600, reorder 68 647 …, edit replicas 866 604, remove 363 473, edit replicas 742 259, remove 632 179, remove 827 485, edit replicas 973 493, edit replicas 648 360 …, down and up 659 107, restart 55 288, edit replicas 863 724'
  ],
  'an app that an edit takes out of its profile is left to the user, whom `--except` names': [
    '102389',
    'add 105 410 …, down and up 653 790, swap ids 626 704'
  ],
  'an edit that comes while the clock is set back is not lost': [
    '60527',
    'edit replicas 831 801 …, reorder 821 777, add 87 217 …, call 333 192, remove 253 211 …, clock jumps 69 285 …, remove 216 451'
  ],
  'a start that takes an app back while it is handed to a debugger is not forgotten with the process that it ends': [
    '1203065',
    'remove 568 72 …, edit replicas 548 153, kill and up 682 775, start 626 522 …, debug 481 903, edit port 834 678'
  ],
  'what waits for a one-shot app waits for it again after an edit of both': [
    '977',
    'remove 864 568, remove 671 315, add 278 276 …, add 12 474, save bad code 637 736 …, edit dependencies 462 910, edit key of common 755 885'
  ],
  'an app that an edit brings in waits for what it depends on': [
    '900077',
    'add 910 870, edit readiness 944 957, add 897 430, remove 4 125, edit dependencies 986 524 …, add 478 924, swap ids 890 852'
  ],
  '`start` starts what an app depends on also where that waits for a save': [
    '500365',
    'edit dependencies 421 206, add 88 49 …, add 692 957, edit replicas 43 599, add 338 456, reorder 251 289 …, edit replicas 44 601, edit dependencies 402 563, remove 63 395, stop 857 925 …, crash 935 837, remove 116 927, add 306 613, add 839 501 …, edit replicas 487 670, crash 32 915 …, reorder 772 706, start 67 701'
  ],
  'a `port` that an edit adds is served also where another app stops meanwhile': [
    '500531',
    'crash 261 73, edit port 732 639 …, stop 305 433'
  ],
  'a save that comes while edits wait may start an app that the last of them removes': [
    '30892',
    'add 476 785 …, save bad code 226 313, remove 25 65 …, rename 124 205 …, save bad code 22 57'
  ],
  'what waits for a one-shot app to complete is not started where that has failed since': [
    '500359',
    'reorder 983 20, add 896 345, add 662 966, add 382 843 …, reorder 849 675, edit key 540 969 …, remove 380 189 …, add 103 843 …, edit key 495 494, remove 820 36, edit dependencies 832 961, save bad code 108 333, rename 347 236'
  ]
} as const

// in one process: that it is loaded costs as much as several walks
const walked = days(...Object.values(FOUND).flatMap(([seed, walk]) => ['--seed', seed, '--walk', walk]))
for (const [what, [seed]] of Object.entries(FOUND))
  t.test(what, async t => {
    const {printed} = await walked
    t.match(printed, new RegExp(`^seed ${seed}, .*\\n  as it must be `, 'm'))
  })

/** The same of apps that sleep. */
const FOUND_LAZY = {
  'an edit of several instances that sleep is for all of them': [
    '269',
    'edit replicas 15 179, debug 32 674, reorder 98 905, edit common 268 597, edit dependencies 171 622'
  ],
  'an app that is stopped while it waits for a lazy one does not keep that awake': [
    '1118',
    'edit dependencies 44 764 …, stop 941 153'
  ],
  'an instance that an edit adds to a lazy app that is awake is started': [
    '1036',
    'edit port 339 660, reorder 226 375, add 134 101, edit dependencies 144 40, edit replicas 931 368 …, clock jumps 652 345, call port 278 594'
  ],
  'a process that an overlap keeps may have been started by the step before the save': [
    '70137',
    'add 199 804 …, remove 962 256, remove 741 558 …, add 485 900, reorder 412 912 …, remove 277 284, add 648 390 …, add 115 147, remove 78 677, edit reload 169 889, rename 255 340 …, add 81 78, edit dependencies 663 564 …, stop 719 258, edit replicas 570 402, start 704 51 …, save bad code 457 19'
  ]
} as const

for (const [what, [seed, walk]] of Object.entries(FOUND_LAZY))
  t.test(what, async t => {
    const {code, printed} = await days('--lazy', '--seed', seed, '--walk', walk)
    t.equal(code, 0, printed)
  })
