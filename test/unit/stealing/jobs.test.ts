// Which jobs a peer looks at after every fact: not the thousands that ended long ago.
import { describe, expect, it } from 'vitest';
import { jobId, peerId } from '../../../src/stealing/ids.ts';
import { JobBook } from '../../../src/stealing/job-book.ts';
import { Jobs } from '../../../src/stealing/jobs.ts';
import { doneEnding, header } from './rig.ts';

const SELF = peerId('a');

describe('the jobs of a peer', () => {
  it('are awake while they run, and at rest when they have ended and every row counts', () => {
    const { jobs, book } = known('j1', 'j2');
    end(jobs, book('j1'));
    jobs.rest(SELF);
    expect(names(jobs.awake())).toEqual(['j2']);
    expect(names(jobs.active())).toEqual(['j2']);
  });

  it('wake when somebody names them, and rest again', () => {
    const { jobs, book } = known('j1', 'j2');
    end(jobs, book('j1'));
    jobs.rest(SELF);
    jobs.get(jobId('j1'));
    expect(names(jobs.awake())).toEqual(['j1', 'j2']);
    jobs.rest(SELF);
    expect(names(jobs.awake())).toEqual(['j2']);
  });

  it('wake, all of them, when other peers live than before, and not when the same do', () => {
    const { jobs, book } = known('j1');
    end(jobs, book('j1'));
    const live = [peerId('b')];
    jobs.awakeGiven(live);
    jobs.rest(SELF);
    expect(names(jobs.awakeGiven(live))).toEqual([]);
    expect(names(jobs.awakeGiven([]))).toEqual(['j1']);
  });

  it('run again after a retry, under a new number', () => {
    const { jobs, book } = known('j1');
    const job = book('j1');
    end(jobs, job);
    jobs.rest(SELF);
    jobs.turned(job, undefined);
    jobs.renumber(job, 9);
    expect(names(jobs.active())).toEqual(['j1']);
    expect(names(jobs.awake())).toEqual(['j1']);
    expect([jobs.byNumber(1), jobs.byNumber(9)]).toEqual([undefined, job]);
  });

  it.each<[string, (job: JobBook) => void]>([
    ['rows on their way to the disk', (job) => void job.unsaved.add(0, 1)],
    ['a slot that still runs a claim', (job) => void job.running.add(0, 1)],
    ['an answer that is owed', (job) => void (job.owesAnswer = true)],
    ['a census that is wanted', (job) => void (job.censusWanted = true)],
    ['rows that its owner lacks', (job) => job.ledger.forget([[0, 1]])],
  ])('stay awake after their end for %s', (_, keepAwake) => {
    const { jobs, book } = known('j1');
    end(jobs, book('j1'));
    keepAwake(book('j1'));
    jobs.rest(SELF);
    expect(names(jobs.awake())).toEqual(['j1']);
  });
});

function known(...ids: readonly string[]): { jobs: Jobs; book: (id: string) => JobBook } {
  const jobs = new Jobs();
  for (const [i, id] of ids.entries())
    jobs.add(new JobBook(header(id, 4), i + 1, { nowMs: 0, self: SELF }));
  return {
    jobs,
    book: (id) => {
      const job = jobs.get(jobId(id));
      if (job === undefined) throw new Error(`no job ${id}`);
      return job;
    },
  };
}

/** Its owner has all rows of it. */
function end(jobs: Jobs, job: JobBook): void {
  job.ledger.addReleased({ kind: 'rows', maker: SELF, intervals: [[0, 4]] });
  job.ledger.count([[0, 4]]);
  job.lastOwner = SELF;
  jobs.turned(job, doneEnding(4));
}

function names(jobs: readonly JobBook[]): string[] {
  return jobs.map(({ header: { name } }) => name);
}
