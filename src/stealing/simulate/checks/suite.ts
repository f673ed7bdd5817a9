// The checks that every run gets, by what the scenario allows to be asked of it.
import type { Scenario } from '../scenario.ts';
import type { Check, JobTruth, WorldView } from '../watch.ts';
import type { JobId } from '../../ids.ts';
import { acknowledgedJobsStay } from './acknowledged.ts';
import { strangersCountForNothing } from './admission.ts';
import { noAlarm } from './alarms.ts';
import { custodyIsBounded } from './bounded.ts';
import { cancelledJobsRest } from './cancelled.ts';
import { grantsAreTakenOnce } from './conservation.ts';
import { everybodyCanAlwaysHelp, noSlotStandsStill } from './conserving.ts';
import { nobodyIsEverAway, promisedCopiesExist } from './copies.ts';
import { whoDrainsAsksForNothing } from './drained.ts';
import { nothingRunsTwice } from './duplicates.ts';
import { jobsEnd } from './ends.ts';
import { everySlotMayChoose, timeIsShared } from './fair.ts';
import { oldLivesAreFenced } from './fencing.ts';
import { lifelinesAreArmed, nothingIsLostOnTheWay } from './lifelines.ts';
import { countsNeverShrink } from './monotone.ts';
import { onlyTroubleRunsTwice } from './reruns.ts';
import { quietWhenIdle, settleMs, watchMs } from './quiet.ts';
import { queuesAreShort } from './queues.ts';
import { standInsYield } from './owner.ts';
import { onlyPoisonFails } from './poison.ts';
import { groupsHaveOneSpeaker, isGrouped } from './speaker.ts';
import { everyTaskCountsOnce, rowsAreTheReference } from './rows.ts';

/** ms for which a run goes on after its end, so that silence can be heard. */
export function quietWindowMs(scenario: Scenario): number {
  return settleMs(scenario) + watchMs(scenario);
}

export function suiteFor(
  scenario: Scenario,
  truths: (job: JobId) => JobTruth | undefined,
): Check[] {
  const checks = [
    jobsEnd(),
    rowsAreTheReference(truths),
    everyTaskCountsOnce(rowsMayBeLost),
    acknowledgedJobsStay(),
    countsNeverShrink(),
    noAlarm(),
    onlyPoisonFails(scenario, truths),
    quietWhenIdle(),
    oldLivesAreFenced(),
    custodyIsBounded(),
    grantsAreTakenOnce(),
    isGrouped(scenario) ? groupsHaveOneSpeaker(scenario) : standInsYield(),
    cancelledJobsRest(),
    whoDrainsAsksForNothing(),
    strangersCountForNothing(),
  ];
  if (nothingIsLostOnTheWay(scenario)) checks.push(lifelinesAreArmed(scenario));
  if (nobodyIsEverAway(scenario)) checks.push(promisedCopiesExist());
  // Between groups work moves as groups need it; for that there are figures (sim-scale) and no bound for each slot.
  if (everybodyCanAlwaysHelp(scenario) && !isGrouped(scenario))
    checks.push(noSlotStandsStill(scenario));
  if (everySlotMayChoose(scenario)) checks.push(timeIsShared(truths));
  if (scenario.faults.length === 0) checks.push(nothingRunsTwice(), queuesAreShort());
  // A census between groups asks for a group's word and not for a peer's: who had which task cannot be followed there.
  else if (!isGrouped(scenario)) checks.push(onlyTroubleRunsTwice(scenario, truths));
  return checks;
}

/** A row has two disks, and one while its maker believes itself alone: a lost disk proves something only when
 * it is the one thing that went wrong. */
function rowsMayBeLost({ scenario, peers }: WorldView): boolean {
  return peers.some(({ isGone }) => isGone) && scenario.faults.length > 1;
}
