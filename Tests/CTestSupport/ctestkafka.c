#include "ctestkafka.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

static rd_kafka_t *client(const char *servers, char *error, size_t size) {
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    if (rd_kafka_conf_set(configuration, "bootstrap.servers", servers, error, size) ||
        rd_kafka_conf_set(configuration, "log_level", "0", error, size)) {
        rd_kafka_conf_destroy(configuration);
        return NULL;
    }
    rd_kafka_t *made = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, error, size);
    if (!made) rd_kafka_conf_destroy(configuration);
    return made;
}

// Whether the leader of a partition tells its end. A broker is named as the leader before it knows
// that it is. (rd_kafka_query_watermark_offsets heeds no time limit before librdkafka 2.3.0.)
static int answers(rd_kafka_t *asking, const char *topic, int32_t partition, int milliseconds) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = RD_KAFKA_OFFSET_END;
    int answered =
        rd_kafka_offsets_for_times(asking, list, milliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        list->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    return answered;
}

int ctest_kafka_describe(const char *servers, const char *topic, int milliseconds, int *brokers,
                         int *partitions, int *silent, char *error, size_t size) {
    rd_kafka_t *asking = client(servers, error, size);
    if (!asking) return -1;
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(asking, 1, NULL, &metadata, milliseconds);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *brokers = metadata->broker_cnt;
        *partitions = *silent = 0;
        for (int t = 0; t < metadata->topic_cnt; t++) {
            const rd_kafka_metadata_topic_t *one = &metadata->topics[t];
            if (strcmp(one->topic, topic) == 0) *partitions = one->partition_cnt;
            for (int p = 0; p < one->partition_cnt; p++)
                *silent += !answers(asking, one->topic, one->partitions[p].id, milliseconds);
        }
        rd_kafka_metadata_destroy(metadata);
    } else {
        snprintf(error, size, "metadata: %s", rd_kafka_err2str(code));
    }
    rd_kafka_destroy(asking);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : -1;
}

// A client that asks for one thing, and where the answer comes.
typedef struct {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
} question;

static int begin(question *asked, const char *servers, char *error, size_t size) {
    asked->client = client(servers, error, size);
    if (!asked->client) return -1;
    asked->queue = rd_kafka_queue_new(asked->client);
    return 0;
}

static const char *words(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? NULL : rd_kafka_err2str(code);
}

static const char *topic_fault(const rd_kafka_topic_result_t **results, size_t count) {
    if (count != 1) return "an answer without a verdict";
    return words(rd_kafka_topic_result_error(results[0]));
}

static const char *error_fault(const rd_kafka_error_t *error) {
    return error ? rd_kafka_error_string(error) : NULL;
}

// What is wrong with the answer about the one thing that was asked for; NULL when nothing is.
static const char *fault(rd_kafka_event_t *event) {
    if (!event) return "no answer in time";
    if (rd_kafka_event_error(event)) return rd_kafka_event_error_string(event);
    size_t count = 0;
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_CREATETOPICS_RESULT: {
        const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(
            rd_kafka_event_CreateTopics_result(event), &count);
        return topic_fault(topics, count);
    }
    case RD_KAFKA_EVENT_DELETETOPICS_RESULT: {
        const rd_kafka_topic_result_t **topics = rd_kafka_DeleteTopics_result_topics(
            rd_kafka_event_DeleteTopics_result(event), &count);
        return topic_fault(topics, count);
    }
    case RD_KAFKA_EVENT_CREATEPARTITIONS_RESULT: {
        const rd_kafka_topic_result_t **topics = rd_kafka_CreatePartitions_result_topics(
            rd_kafka_event_CreatePartitions_result(event), &count);
        return topic_fault(topics, count);
    }
    case RD_KAFKA_EVENT_ALTERCONFIGS_RESULT: {
        const rd_kafka_ConfigResource_t **resources = rd_kafka_AlterConfigs_result_resources(
            rd_kafka_event_AlterConfigs_result(event), &count);
        return count == 1 ? words(rd_kafka_ConfigResource_error(resources[0])) : "no verdict";
    }
    case RD_KAFKA_EVENT_CREATEACLS_RESULT: {
        const rd_kafka_acl_result_t **acls = rd_kafka_CreateAcls_result_acls(
            rd_kafka_event_CreateAcls_result(event), &count);
        return count == 1 ? error_fault(rd_kafka_acl_result_error(acls[0])) : "no verdict";
    }
    case RD_KAFKA_EVENT_DELETEACLS_RESULT: {
        const rd_kafka_DeleteAcls_result_response_t **answers =
            rd_kafka_DeleteAcls_result_responses(rd_kafka_event_DeleteAcls_result(event), &count);
        if (count != 1) return "no verdict";
        return error_fault(rd_kafka_DeleteAcls_result_response_error(answers[0]));
    }
    case RD_KAFKA_EVENT_DELETERECORDS_RESULT: {
        const rd_kafka_topic_partition_list_t *offsets =
            rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
        return offsets->cnt == 1 ? words(offsets->elems[0].err) : "no verdict";
    }
    default: return "an answer to something else";
    }
}

// Waits for the answer and ends the client.
static int finish(question *asked, int milliseconds, char *error, size_t size) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(asked->queue, milliseconds);
    const char *wrong = fault(event);
    if (wrong) snprintf(error, size, "%s", wrong);
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(asked->queue);
    rd_kafka_destroy(asked->client);
    return wrong ? -1 : 0;
}

int ctest_kafka_create_topic(const char *servers, const char *topic, int partitions,
                             int replicas, int milliseconds, char *error, size_t size) {
    question asked;
    if (begin(&asked, servers, error, size)) return -1;
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, replicas, NULL, 0);
    rd_kafka_CreateTopics(asked.client, &wanted, 1, NULL, asked.queue);
    rd_kafka_NewTopic_destroy(wanted);
    return finish(&asked, milliseconds, error, size);
}

int ctest_kafka_delete_topic(const char *servers, const char *topic, int milliseconds, char *error,
                             size_t size) {
    question asked;
    if (begin(&asked, servers, error, size)) return -1;
    rd_kafka_DeleteTopic_t *unwanted = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_DeleteTopics(asked.client, &unwanted, 1, NULL, asked.queue);
    rd_kafka_DeleteTopic_destroy(unwanted);
    return finish(&asked, milliseconds, error, size);
}

int ctest_kafka_grow_topic(const char *servers, const char *topic, int partitions,
                           int milliseconds, char *error, size_t size) {
    question asked;
    if (begin(&asked, servers, error, size)) return -1;
    rd_kafka_NewPartitions_t *more = rd_kafka_NewPartitions_new(topic, partitions, NULL, 0);
    rd_kafka_CreatePartitions(asked.client, &more, 1, NULL, asked.queue);
    rd_kafka_NewPartitions_destroy(more);
    return finish(&asked, milliseconds, error, size);
}

int ctest_kafka_set_topic(const char *servers, const char *topic, const char *property,
                          const char *value, int milliseconds, char *error, size_t size) {
    question asked;
    if (begin(&asked, servers, error, size)) return -1;
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_ConfigResource_set_config(resource, property, value);
    rd_kafka_AlterConfigs(asked.client, &resource, 1, NULL, asked.queue);
    rd_kafka_ConfigResource_destroy(resource);
    return finish(&asked, milliseconds, error, size);
}

int ctest_kafka_allow(const char *servers, const char *principal, const char *topic, int writes,
                      int milliseconds, char *error, size_t size) {
    question asked;
    if (begin(&asked, servers, error, size)) return -1;
    rd_kafka_AclBinding_t *permission = rd_kafka_AclBinding_new(
        RD_KAFKA_RESOURCE_TOPIC, topic, RD_KAFKA_RESOURCE_PATTERN_LITERAL, principal, "*",
        writes ? RD_KAFKA_ACL_OPERATION_WRITE : RD_KAFKA_ACL_OPERATION_DESCRIBE,
        RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, NULL, 0);
    rd_kafka_CreateAcls(asked.client, &permission, 1, NULL, asked.queue);
    rd_kafka_AclBinding_destroy(permission);
    return finish(&asked, milliseconds, error, size);
}

int ctest_kafka_forbid(const char *servers, const char *principal, const char *topic,
                       int milliseconds, char *error, size_t size) {
    question asked;
    if (begin(&asked, servers, error, size)) return -1;
    rd_kafka_AclBindingFilter_t *permission = rd_kafka_AclBindingFilter_new(
        RD_KAFKA_RESOURCE_TOPIC, topic[0] ? topic : NULL, RD_KAFKA_RESOURCE_PATTERN_LITERAL, principal, NULL,
        RD_KAFKA_ACL_OPERATION_ANY, RD_KAFKA_ACL_PERMISSION_TYPE_ANY, NULL, 0);
    rd_kafka_DeleteAcls(asked.client, &permission, 1, NULL, asked.queue);
    rd_kafka_AclBinding_destroy(permission);
    return finish(&asked, milliseconds, error, size);
}

int ctest_kafka_delete_records(const char *servers, const char *topic, int partition,
                               int64_t offset, int milliseconds, char *error, size_t size) {
    question asked;
    if (begin(&asked, servers, error, size)) return -1;
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(ends, topic, partition)->offset = offset;
    rd_kafka_DeleteRecords_t *unwanted = rd_kafka_DeleteRecords_new(ends);
    rd_kafka_topic_partition_list_destroy(ends);
    rd_kafka_DeleteRecords(asked.client, &unwanted, 1, NULL, asked.queue);
    rd_kafka_DeleteRecords_destroy(unwanted);
    return finish(&asked, milliseconds, error, size);
}
