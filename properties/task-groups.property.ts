/** Task groups under every schedule: however a group ends, and however deep it stands in others, it leaves nobody behind. */
import * as fc from "fast-check";
import { CancelledError, currentTask, ExceptionGroup, getRunningLoop, RuntimeError, type Task, type TaskGroup, taskGroup } from "heddle";
import { schedule } from "heddle/arbitraries";
import { expect, test } from "vitest";
import { cancellations, finish, type Pause, parameters, pause, runProgram, start, take } from "./small-programs.js";

/** So long only lasts what a group should have cancelled. */
const AGES_MS = 1_000_000;

/** How a member of a group, or its body, goes on after its first pause; and what it does about a cancellation. */
type Ending = "returns" | "throws" | "lasts";
type Answer = "obeys" | "cleans up" | "swallows it" | "throws instead";

interface Member {
  readonly before: Pause;
  readonly ending: Ending;
  readonly answer: Answer;
  readonly cleanUp: Pause;
  /** Groups that it runs itself, one after the other, before its ending. */
  readonly groups: readonly Group[];
}

interface Group {
  readonly members: readonly Member[];
  /** Started by the first member, when it has come to its end. */
  readonly late: readonly Member[];
  readonly body: Member;
}

const { group: anyGroup } = fc.letrec<{ readonly group: Group; readonly groups: readonly Group[] }>((tie) => {
  const memberThat = (...answers: readonly Answer[]): fc.Arbitrary<Member> =>
    fc.record({
      before: pause,
      ending: fc.oneof({ weight: 3, arbitrary: fc.constant<Ending>("returns") }, fc.constantFrom<Ending>("throws", "lasts")),
      answer: fc.constantFrom(...answers),
      cleanUp: pause,
      groups: tie("groups"),
    });
  const member = memberThat("obeys", "cleans up", "throws instead", "swallows it");
  return {
    groups: fc.oneof({ maxDepth: 2 }, fc.constant([]), fc.array(tie("group"), { maxLength: 1 })),
    group: fc.record({
      members: fc.array(member, { maxLength: 4 }),
      late: fc.array(member, { maxLength: 1 }),
      // A body that swallows its cancellation ends as any other, and the group waits for whatever lasts.
      body: memberThat("obeys", "cleans up", "throws instead"),
    }),
  };
});

/** Runs groups, and judges each by its members as soon as it is over. */
class Groups {
  /** What did not hold: it is kept here, because where it is found it would be one more exception of a group. */
  readonly violations: unknown[] = [];
  /** What was raised, numbered, so that two are never equal. */
  #raised = 0;

  /** Judges it in one more thing when nobody else cancels the task that it runs in. */
  async run({ members, late, body }: Group, isUndisturbed = false): Promise<void> {
    const parent = currentTask()!;
    const tasks: Task[] = [];
    const thrown = { byMembers: [] as unknown[], byBody: [] as unknown[], firstAtMs: Number.POSITIVE_INFINITY };
    const noteThrown = async (by: unknown[], act: () => Promise<void>): Promise<void> => {
      try {
        await act();
      } catch (error) {
        if (!(error instanceof CancelledError)) {
          by.push(error);
          thrown.firstAtMs = Math.min(thrown.firstAtMs, getRunningLoop().time());
        }
        throw error;
      }
    };
    const add = (group: TaskGroup, member: Member, starts: readonly Member[]): void => {
      const act = async (): Promise<void> => {
        try {
          await this.#act(member);
        } finally {
          for (const one of starts) add(group, one, []);
        }
      };
      tasks.push(group.createTask(() => noteThrown(thrown.byMembers, act)));
    };
    let used: TaskGroup | undefined;
    let wasInterrupted = false;
    /** How often the task had been asked to be cancelled when its body ended. */
    let requests = 0;
    let error: unknown;
    try {
      await taskGroup(async (group) => {
        used = group;
        members.forEach((member, index) => {
          add(group, member, index === 0 ? late : []);
        });
        try {
          await noteThrown(thrown.byBody, () => this.#act(body));
        } catch (interruption) {
          wasInterrupted = interruption instanceof CancelledError;
          throw interruption;
        } finally {
          requests = parent.cancelling();
        }
      });
    } catch (raised) {
      error = raised;
    }
    this.#judge(() => {
      expect(tasks.filter((task) => !task.done())).toEqual([]);
      expect(() => used?.createTask(async () => {})).toThrow(RuntimeError);
      // Each exactly once, in the order in which they were thrown, and last what the body threw.
      const expected = [...thrown.byMembers, ...thrown.byBody];
      expect(error instanceof ExceptionGroup ? error.errors : []).toEqual(expected);
      if (expected.length > 0) expect(error).toBeInstanceOf(ExceptionGroup);
      else if (error !== undefined) {
        expect(error).toBeInstanceOf(CancelledError);
        expect(parent.cancelling()).toBeGreaterThan(0);
      } else if (parent.cancelling() === 0) expect(tasks.filter((task) => task.cancelled())).toEqual([]);
      // The group has cancelled its own body, and takes that back. (As in CPython 3.11 it does not when the body was over already.)
      if (isUndisturbed && wasInterrupted) expect(parent.cancelling()).toBe(requests - 1);
      // A cancellation that comes while the group waits is raised in the end.
      if (parent.cancelling() > requests) expect(error).toBeDefined();
      // The others are cancelled when one fails: nobody lasts.
      if (expected.length > 0) expect(getRunningLoop().time()).toBeLessThan(thrown.firstAtMs + AGES_MS / 2);
    });
    if (error !== undefined) throw error;
  }

  async #act({ before, ending, answer, cleanUp, groups }: Member): Promise<void> {
    try {
      await take(before);
      for (const group of groups) await this.run(group);
      if (ending === "throws") this.#raise();
      if (ending === "lasts") await take({ turns: 0, sleepMs: AGES_MS });
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      if (answer === "cleans up") await take(cleanUp);
      if (answer === "throws instead") this.#raise();
      if (answer !== "swallows it") throw error;
    }
  }

  #raise(): never {
    throw new Error(`number ${++this.#raised}`);
  }

  #judge(judge: () => void): void {
    try {
      judge();
    } catch (violation) {
      this.violations.push(violation);
    }
  }
}

test("a group ends when all its tasks have, and raises exactly what they raised, however it ends and whatever stands in it", async () => {
  const program = fc.record({ groups: fc.array(anyGroup, { minLength: 1, maxLength: 2 }), cancellations });
  await fc.assert(
    fc.asyncProperty(program, schedule(), async ({ groups, cancellations: cancelling }, strategy) => {
      await runProgram(strategy, async () => {
        const running = new Groups();
        const parents = start(
          groups.map((group) => async () => {
            try {
              await running.run(group, cancelling.length === 0);
            } catch (error) {
              if (!(error instanceof ExceptionGroup)) {
                // All cancellations come early, and what they reach is cancelled as well.
                expect(getRunningLoop().time()).toBeLessThan(AGES_MS / 2);
                throw error;
              }
            }
            await take({ turns: 1, sleepMs: 0 });
          }),
          cancelling,
        );
        await finish(parents, { maySwallow: true });
        for (const violation of running.violations) throw violation;
        // The cancellation by which a group interrupts its own body goes no further.
        if (cancelling.length === 0) expect(parents.filter((parent) => parent.cancelled())).toEqual([]);
      });
    }),
    parameters(1_500),
  );
});
