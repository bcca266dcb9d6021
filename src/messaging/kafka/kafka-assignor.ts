import type { GroupAssignment, GroupPartitionsAssigner } from '@platformatic/kafka';

/**
 * Deals each topic's partitions in turn to the members that ask for it; members of an older version may ask for other
 * topics.
 */
export const roundRobin: GroupPartitionsAssigner = (_current, members, _topics, { topics }) => {
  const assigned = new Map(
    [...members.keys()]
      .toSorted()
      .map((memberId) => [memberId, { memberId, assignments: new Map<string, GroupAssignment>() }]),
  );
  let dealt = 0;
  for (const [topic, { partitionsCount }] of topics) {
    const asking = [...assigned.values()].filter(({ memberId }) => members.get(memberId)?.topics?.includes(topic));
    for (let partition = 0; partition < partitionsCount && asking.length > 0; partition += 1, dealt += 1) {
      const { assignments } = asking[dealt % asking.length]!;
      const ofTopic = assignments.get(topic) ?? { topic, partitions: [] };
      ofTopic.partitions.push(partition);
      assignments.set(topic, ofTopic);
    }
  }
  return [...assigned.values()];
};
