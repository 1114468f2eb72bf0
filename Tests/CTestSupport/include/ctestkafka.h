// What tests ask of a Kafka cluster besides records, through a client that lives for one call. Each
// returns 0, or -1 with the reason in `error`; it waits for each answer as long as `milliseconds`.
#pragma once
#include <stddef.h>

// How many brokers the cluster knows, how many partitions `topic` has (0 if there is no such topic),
// and how many partitions of any topic do not answer a client, be it for lack of a leader.
int ctest_kafka_describe(const char *servers, const char *topic, int milliseconds, int *brokers,
                         int *partitions, int *silent, char *error, size_t size);

// Makes a topic. That brokers know of it may take a moment longer.
int ctest_kafka_create_topic(const char *servers, const char *topic, int partitions,
                             int replicas, int milliseconds, char *error, size_t size);
