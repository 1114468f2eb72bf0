package import Platform

/// How lines that are objects of JSON become members of documents, with Filebeat's meanings.
package struct JSONFields: Hashable, Sendable {
    /// The names of the objects, within one another, that members go into; none: they stand beside
    /// the document's own.
    package let target: [String]
    /// The member whose text is the message: what rules are asked of.
    package let messageKey: String?
    /// A member `@timestamp` beside the document's own members is its time.
    package let overwritesKeys: Bool
    /// Names with dots become objects within one another.
    package let expandsKeys: Bool
    /// A document says in `error` what was wrong with its line.
    package let addsError: Bool
    /// A member that is the document's time, before `@timestamp` is.
    package let time: Time?

    /// A member, and how times are written in it.
    package struct Time: Hashable, Sendable {
        /// A name, or the names of objects within one another, with dots between them.
        package let field: String
        /// The first one that a text is of counts.
        package let layouts: [TimeLayout]
        /// Of times that name no zone.
        package let zone: ZoneRules

        package init(field: String, layouts: [TimeLayout], zone: ZoneRules) {
            self.field = field
            self.layouts = layouts
            self.zone = zone
        }
    }

    package init(
        target: [String] = [], messageKey: String? = nil, overwritesKeys: Bool = false,
        expandsKeys: Bool = false, addsError: Bool = false, time: Time? = nil
    ) {
        self.time = time
        self.target = target
        self.messageKey = messageKey
        self.overwritesKeys = overwritesKeys
        self.expandsKeys = expandsKeys
        self.addsError = addsError
    }
}
