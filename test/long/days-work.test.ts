/** What `test/integration/days-work.test.ts` does with few seeds and writes, with more of them, and walks that found something once. */
import t from 'tap'
import {killedAt} from '../days/work/killed.ts'
import {KINDS, workWalk} from '../days/work/steps.ts'
import {walkWork} from '../days/work/walks.ts'
import {stepsIn} from '../days/walks.ts'

t.setTimeout(300_000)

t.test('what outlives a run is exact, whatever comes in whichever order: walks of 19 more seeds', async t => {
  for (let seed = 7; seed <= 25; seed++) {
    const {faults} = await walkWork(seed, workWalk(seed, 60))
    if (faults.length > 0) t.fail(`seed ${seed}: ${faults.join('; ')}: npm run days -- --work --seed ${seed}`)
  }
})

t.test('a run that is killed at a fifth of the writes of a walk goes on with the next one', async t => {
  t.strictSame(await killedAt(write => write % 5 === 1), [])
})

/** Walks that found something once, and the seed with which they did. */
const FOUND: Readonly<Record<string, readonly [seed: number, walk: string]>> = {
  'a replay that waits for a turn comes though the worker of that leaves, and the file cannot be written': [
    812719,
    'start 241 569 …, purge 746 458, answer a turn 169 522, answer 688 966, event 609 720, pass 154 914, start a listener 875 663 …, answer twice 184 486, fail writes 660 132, replay 504 727, leave 100 997 …, app removed 382 391, event 584 41'
  ],
  'a workflow that an app leaves behind as it ends starts it again at once': [
    2705,
    'start 821 281, connect 270 275 …, answer 972 35, event 265 541, sleep 693 288 …'
  ],
  'an activity whose late answer is taken does not run again where the start that had ended its workflow is undone': [
    21838,
    'start 772 531, event 312 783 …, answer a turn 514 36, leave 967 517, terminate 346 1, answer late 206 933 …, sleep 98 141, pass 704 572 …, connect 993 981, answer 784 696, leave 849 12, fail writes 305 355, start a listener 774 348 …, answer late 863 735'
  ],
  'a reminder that was due when an app fell asleep starts it': [
    1352,
    'reminder 756 95, pass 765 961, restart 986 422 …, answer a turn 148 501, sleep 358 498'
  ],
  'a job that is set again while its app has it comes once its app has answered': [
    26,
    'job 603 900, pass 464 513, job 831 224, pass 791 808'
  ],
  'a job fires where the change is undone that had taken it for the next time': [
    51403,
    'job 15 323 …, fail writes 366 411, job verb 55 455 …, pass 204 812'
  ],
  'a job that was deleted comes where the deletion is undone': [
    55753,
    'start 511 881 …, job 581 921, pass 689 570 …, fail writes 22 287 …, crash 936 781, answer 541 441, job deleted 207 232'
  ],
  'one that is terminated in the instant in which it continues as new has no turn': [
    3282,
    'crash 746 613, start 393 313 …, answer a turn 716 183, job 266 835, connect 982 471, event 24 813, answer 923 279, leave 465 645, terminate 978 741, answer late 988 920'
  ],
  'an answer that is written late is not the result of the next round': [
    4568,
    'start 143 743, answer 373 724, fail writes 343 563, job 203 331 …, answer 856 572 …, leave 392 842 …'
  ],
  'a worker goes on with its turn where the removal of its workflow is undone': [
    440,
    'fail writes 242 438, start 793 875, purge 856 996, pass 67 855 …'
  ],
  'an event ends the timer of its own wait, though that has fired while a worker had no time for it': [
    179,
    'start a listener 911 578 …, host 448 163, answer a turn 831 494, event 311 154, pass 45 985'
  ],
  'a run begins with a workflow that has become too large for its worker, though its file cannot be written': [
    201810,
    'start 546 353 …, fail writes 695 14, pass 88 989, fail writes 946 736, answer a turn 826 513, answer 979 896 …, body size 799 984, restart 504 579 …'
  ],
  'an answer without a token to a turn of a workflow that was removed is none to that of the next one of its ID': [
    209525,
    'start 214 519, answer 487 905, event 255 589 …, crash 753 804 …, answer 471 511 …, connect 830 936, purge 417 920 …, event 435 295'
  ],
  'a run begins with two workflows that have become too large for their workers, though its file cannot be written': [
    307585,
    'pass 127 64 …, start 762 419, pass 56 210 …, answer 517 520, start 226 659, answer 676 561, event 940 949, answer a turn 359 516, answer a turn 771 736, pass 27 720 …, body size 297 884, fail writes 394 525, answer 582 257, restart 588 600'
  ],
  'an activity whose answer is written late is not given to another worker after that': [
    406822,
    'start 892 961 …, reload 756 585, answer a turn 384 743, connect 810 305 …, answer all 182 859, fail writes 446 379 …, answer 877 645 …, leave 129 616 …, reminder 514 453 …, connect 906 899'
  ],
  'a workflow has its turn once the one of its ID is answered that a removed workflow had': [
    1151,
    'start 272 977, purge 119 729, start 648 67, answer 110 246'
  ],
  'a worker whose answer cannot be written at once has its turn in hand, though it has sent another one': [
    3597,
    'start 552 533 …, answer 266 832, answer twice 781 688 …, fail writes 600 917'
  ],
  'a job that is paused in the instant in which its app cannot take it does not fire': [
    339,
    'job 954 484, pass 720 941, crash 903 929 …, start 430 6 …, write again 933 732, job 619 66, sleep 20 620 …, job verb 282 161 …'
  ],
  'an activity whose answer is written as its worker is replaced is not given to the next one, whose answer would be that of the next round':
    [98116, 'start 801 0, answer 193 492, answer all 698 41 …, reload 338 109 …, delivered 820 426, answer 63 629'],
  'a worker is free once it answers the turn of a removed workflow, though it has a replay of its ID': [
    300012,
    'start 880 684, start 513 661, start 266 570, answer a turn 290 480, event 180 505, replay 680 39, purge 365 81'
  ],
  'a workflow goes on after a replay, though its file cannot be written at the end of that': [
    910182,
    'app removed 824 544 …, start 301 764 …, start 942 916, answer 927 80 …, event 888 986, leave 937 811, fail writes 203 448 …, replay 321 109, connect 8 232, answer all 715 85'
  ],
  'events of a child that was removed by force are not those of the next one, for which its parent asks as it is killed before its own removal':
    [
      92970,
      'actor called 701 740, start 153 599, start 394 515 …, sleep 234 489 …, pass 30 403, answer 689 996, event 417 122 …, crash 623 246, purge 310 469'
    ]
}

for (const [what, [seed, walk]] of Object.entries(FOUND))
  t.test(`found: ${what}`, async t => {
    t.strictSame((await walkWork(seed, stepsIn(walk, KINDS))).faults, [])
  })
