// What tests ask of a Kafka cluster besides records, through a client that lives for one call. Each
// returns 0, or -1 with the reason in `error`; it waits for each answer as long as `milliseconds`.
#pragma once
#include <stddef.h>
#include <stdint.h>

// How many brokers the cluster knows, how many partitions `topic` has (0 if there is no such topic),
// and how many partitions of any topic do not answer a client, be it for lack of a leader.
int ctest_kafka_describe(const char *servers, const char *topic, int milliseconds, int *brokers,
                         int *partitions, int *silent, char *error, size_t size);

// Makes a topic. That brokers know of it may take a moment longer.
int ctest_kafka_create_topic(const char *servers, const char *topic, int partitions,
                             int replicas, int milliseconds, char *error, size_t size);

// Removes a topic with all its records.
int ctest_kafka_delete_topic(const char *servers, const char *topic, int milliseconds, char *error,
                             size_t size);

// Gives a topic more partitions, so that it has so many in all.
int ctest_kafka_grow_topic(const char *servers, const char *topic, int partitions,
                           int milliseconds, char *error, size_t size);

// Sets a property of a topic; all its others get their defaults.
int ctest_kafka_set_topic(const char *servers, const char *topic, const char *property,
                          const char *value, int milliseconds, char *error, size_t size);

// Lets a principal, such as "User:name", know of a topic, and write to it if `writes`.
int ctest_kafka_allow(const char *servers, const char *principal, const char *topic, int writes,
                      int milliseconds, char *error, size_t size);

// Takes all of a principal's permissions for a topic away, or for all topics where it has no name.
int ctest_kafka_forbid(const char *servers, const char *principal, const char *topic,
                       int milliseconds, char *error, size_t size);

// Removes the records of a partition before an offset; -1 is its end.
int ctest_kafka_delete_records(const char *servers, const char *topic, int partition,
                               int64_t offset, int milliseconds, char *error, size_t size);
